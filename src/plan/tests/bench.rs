use super::{World, options};
use crate::desired::samples::{boot, desire, inventory};
use std::time::Instant;

#[test]
#[ignore]
fn timing() {
    let inv = inventory(10_000);
    let t = Instant::now();
    let d = desire(&inv);
    eprintln!("desired {:?} objects {}", t.elapsed(), d.objects.len());
    let mut w = World::default();
    let t = Instant::now();
    let c = w.plan(&d, &options());
    eprintln!("first plan {:?} writes {}", t.elapsed(), c.writes.len());
    let t = Instant::now();
    let j = c.plan.to_json();
    eprintln!("json {:?} {}", t.elapsed(), j.len());
    let t = Instant::now();
    let s = super::super::text::render(&c.plan, &Default::default());
    eprintln!("text {:?} {}\n{s}", t.elapsed(), s.len());
    w.apply(&d, &options());
    let t = Instant::now();
    let c = w.plan(&d, &options());
    eprintln!("in sync {:?} writes {}", t.elapsed(), c.writes.len());
    let mut inv2 = inv.clone();
    for n in &mut inv2.nodes {
        n.boot = Some(boot("6.6"));
    }
    let d2 = desire(&inv2);
    let t = Instant::now();
    let c = w.plan(&d2, &options());
    eprintln!("kernel {:?} writes {}", t.elapsed(), c.writes.len());
    let t = Instant::now();
    let s = super::super::text::render(&c.plan, &Default::default());
    eprintln!("text {:?}\n{s}", t.elapsed());
}

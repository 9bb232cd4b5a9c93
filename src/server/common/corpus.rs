//! The fuzzer's corpus as a test: every file of it, and bytes near each.
//!
//! The fuzzer proper, which follows what its inputs reach, is in `fuzz/`. This is what every run of the tests does
//! without it, always alike.

use std::path::Path;

/// Runs `target` over the seeds of this name in `fuzz/corpus`, and over so many inputs made of them: with bytes changed,
/// cut out, repeated, or taken from another seed.
pub(in crate::server) fn walk(name: &str, variations: usize, target: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert!(seeds.len() > 2, "{} has no seeds", directory.display());
    seeds.iter().for_each(|seed| target(seed));
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..variations {
        let mut input = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(4) {
            vary(&mut input, &seeds, &mut random);
        }
        target(&input);
    }
}

fn vary(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let at = random.below(input.len() + 1);
    let behind = (at + random.below(12)).min(input.len());
    match random.below(5) {
        0 => drop(input.drain(at..behind)),
        1 => drop(input.splice(at..at, input[at..behind].to_vec())),
        2 => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len() + 1);
            input.splice(at.., other[from..].iter().copied());
        }
        3 => input.extend_from_slice(&seeds[random.below(seeds.len())]),
        _ => input[at..behind].iter_mut().for_each(|byte| *byte = random.byte()),
    }
}

/// Numbers that look random and are the same each time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % bound
    }

    /// Bytes at the edges of their range are the more telling ones.
    fn byte(&mut self) -> u8 {
        let any = self.below(256) as u8;
        *[0, 1, 0x7f, 0x80, 0xff, any, any, any].get(self.below(8)).unwrap_or(&any)
    }
}

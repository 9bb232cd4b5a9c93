//! Boot script templates: `templates/NAME.j2`, which a boot profile names by `template: NAME`.
//!
//! A file takes the place of this program's template of the same name. `templates/boot.j2` is the script of nodes whose
//! profile names no template, in the place of the one that BSS sends, and `templates/unknown.j2` that of machines which
//! have nothing to boot.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Code;
use super::boot::{BootDraft, Profile};
use super::diagnostic::{Diagnostic, Report};
use super::files::template_name;
use super::folders::TEMPLATES;
use super::near::did_you_mean;
use super::source::Origin;
use super::source::{Sheet, Source, Sources};
use super::types::{Boot, Script};
use super::walker::words;
use crate::template::profile;

/// The templates that profiles may name, by name.
pub(super) struct Templates(BTreeMap<Arc<str>, Arc<str>>);

/// Reads and checks the files of the folder, beside the templates of this program.
pub(super) fn read(sources: &Sources, report: &Report) -> Templates {
    let own = profile::names().filter_map(|name| Some((Arc::from(name), Arc::from(profile::built_in(name)?))));
    let mut templates: BTreeMap<Arc<str>, Arc<str>> = own.collect();
    for source in sources.iter().filter(|source| source.sound) {
        let Some(file) = source.name().strip_prefix(TEMPLATES).and_then(|rest| rest.strip_prefix('/')) else {
            continue;
        };
        let Some(name) = template_name(file) else { continue };
        check(source, report);
        // One with a fault is there all the same, so that profiles which name it are not reported, too.
        templates.insert(name.into(), source.text().into());
    }
    Templates(templates)
}

fn check(source: &Source, report: &Report) {
    let Err(fault) = profile::check(source.text()) else { return };
    let range = source.line_range(fault.line.saturating_sub(1));
    let place = source.place(range.start, range.end);
    let message = format!("`{}` cannot be a boot script: {}", source.name(), fault.message);
    let variables = words(profile::VARIABLES);
    report
        .push(Diagnostic::new(Code::BootTemplate, Some(place), message).help(format!(
            "it begins with `#!ipxe`, and may use {variables} and the filters `lower`, `upper`, `trim`"
        )));
}

impl Templates {
    /// Reports profiles that name a template which is not there.
    pub(super) fn check_names(&self, sheet: Sheet<'_>, boot: &BootDraft) {
        let groups = boot.groups.iter().map(|(_, profile)| profile);
        let nodes = boot.nodes.iter().map(|(_, profile)| profile);
        for profile in boot.default.iter().chain(groups).chain(nodes) {
            self.check_name(sheet, profile);
        }
    }

    fn check_name(&self, sheet: Sheet<'_>, profile: &Profile) {
        let Some((name, span)) = &profile.template else { return };
        if self.0.contains_key(&**name) || **name == *profile::BOOT {
            return;
        }
        let known = || self.0.keys().map(|name| &**name).chain([profile::BOOT]);
        let help = match did_you_mean(name, known()) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => format!("write it into `{TEMPLATES}/{name}.j2`, or name one of {}", {
                let names: std::collections::BTreeSet<&str> = known().collect();
                words(&names.into_iter().collect::<Vec<_>>())
            }),
        };
        let message = format!("there is no boot script template `{name}`");
        sheet.push(sheet.problem(Code::NoTemplate, *span, message).help(help));
    }

    /// Puts in the template that a profile names, and for one that names none the site's `boot`, where there is one.
    pub(super) fn fill(&self, boot: &mut Boot) {
        let name = if boot.template.is_empty() { profile::BOOT } else { &*boot.template };
        if let Some((name, text)) = self.0.get_key_value(name) {
            boot.template = name.clone();
            boot.script = text.clone();
        }
    }

    /// The site's script for machines that have nothing to boot, where there is one.
    pub(super) fn unknown(&self, sources: &Sources) -> Option<Script> {
        let (template, text) = self.0.get_key_value(profile::UNKNOWN)?;
        let file: Arc<str> = format!("{TEMPLATES}/{template}.j2").into();
        let lines = sources.get(&file)?.text().lines().count();
        let end_line = u32::try_from(lines).unwrap_or(u32::MAX).max(1);
        Some(Script { template: template.clone(), text: text.clone(), origin: Origin { file, line: 1, end_line } })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::inventory::{Loaded, load};

    /// The base example with this boot section and these templates.
    fn inventory(boot: &str, templates: &[(&str, &str)]) -> (tempfile::TempDir, Loaded) {
        let directory = tempfile::tempdir().unwrap();
        let write = |path: &Path, text: &str| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let cluster = "cluster_name: demo\ncluster_boot_ip: 172.16.0.254\n";
        write(&directory.path().join("cluster.yaml"), &format!("{cluster}{boot}"));
        let node = "- {name: nid001, xname: x1000c0s0b0n0, nid: 1, groups: [compute], interfaces: [{mac_addr: \
                    ec:e7:a7:05:a1:fc}]}";
        write(&directory.path().join("nodes.yaml"), &format!("nodes:\n{node}\n"));
        for (name, text) in templates {
            write(&directory.path().join(TEMPLATES).join(name), text);
        }
        let loaded = load(directory.path());
        (directory, loaded)
    }

    fn boot(yaml: &str, templates: &[(&str, &str)]) -> Boot {
        let (_directory, loaded) = inventory(yaml, templates);
        let inventory = loaded.inventory.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        inventory.nodes[0].boot.clone().unwrap()
    }

    fn faults(yaml: &str, templates: &[(&str, &str)]) -> Vec<(Code, String, u32)> {
        let (_directory, loaded) = inventory(yaml, templates);
        let told =
            |d: &Diagnostic| (d.code, d.place.as_ref().unwrap().file.to_string(), d.place.as_ref().unwrap().line);
        loaded.diagnostics.iter().filter(|d| d.code != Code::NoEntry).map(told).collect()
    }

    const KERNEL: &str = "boot:\n  default: {kernel: 'http://k/k'}\n";

    #[test]
    fn the_narrowest_profile_that_names_a_template_decides() {
        assert_eq!((&*boot(KERNEL, &[]).template, &*boot(KERNEL, &[]).script), ("", ""));
        let group = format!("{KERNEL}  groups: {{compute: {{template: maintenance}}}}\n");
        let found = boot(&group, &[]);
        assert_eq!((&*found.template, &*found.script), ("maintenance", profile::built_in("maintenance").unwrap()));
        assert_eq!(&*found.kernel, "http://k/k", "it has what it does not say from the wider one");
        let back = boot(&format!("{group}  nodes: {{nid001: {{template: boot}}}}\n"), &[]);
        assert_eq!((&*back.template, &*back.script), ("", ""));
    }

    #[test]
    fn a_file_is_a_template_and_comes_before_one_of_this_program() {
        let own = "#!ipxe\necho mine\n";
        for name in ["mine", "shell"] {
            let yaml = format!("{KERNEL}  nodes: {{nid001: {{template: {name}}}}}\n");
            let found = boot(&yaml, &[(&format!("{name}.j2"), own)]);
            assert_eq!((&*found.template, &*found.script), (name, own));
        }
    }

    #[test]
    fn a_template_that_is_not_there_or_has_a_fault_is_told_at_its_place() {
        let yaml = format!("{KERNEL}  nodes: {{nid001: {{template: maintenence}}}}\n");
        assert_eq!(faults(&yaml, &[]), [(Code::NoTemplate, "cluster.yaml".to_owned(), 5)]);
        let yaml = format!("{KERNEL}  nodes: {{nid001: {{template: mine}}}}\n");
        let fault = faults(&yaml, &[("mine.j2", "#!ipxe\n{{ kernal }}\n")]);
        assert_eq!(fault, [(Code::BootTemplate, "templates/mine.j2".to_owned(), 2)]);
    }

    #[test]
    fn a_sites_boot_is_for_profiles_that_name_no_template_and_its_unknown_for_machines_without_one() {
        let own = "#!ipxe\necho mine\n";
        let both = [("boot.j2", own), ("unknown.j2", "#!ipxe\nchain {{ chain_url }}\n")];
        for yaml in [KERNEL.to_owned(), format!("{KERNEL}  nodes: {{nid001: {{template: boot}}}}\n")] {
            let found = boot(&yaml, &both);
            assert_eq!((&*found.template, &*found.script), ("boot", own));
        }
        let other = boot(&format!("{KERNEL}  nodes: {{nid001: {{template: maintenance}}}}\n"), &both);
        assert_eq!(&*other.template, "maintenance");
        let unknown = inventory(KERNEL, &both).1.inventory.unwrap().unknown_script.unwrap();
        assert_eq!(&*unknown.text, "#!ipxe\nchain {{ chain_url }}\n");
        assert_eq!(
            (&*unknown.origin.file, unknown.origin.line, unknown.origin.end_line),
            ("templates/unknown.j2", 1, 2)
        );
        assert_eq!(inventory(KERNEL, &[]).1.inventory.unwrap().unknown_script, None);
        for name in ["boot", "unknown"] {
            let file = format!("{name}.j2");
            assert_eq!(faults(KERNEL, &[(&file, "reboot\n")]), [(Code::BootTemplate, format!("templates/{file}"), 1)]);
        }
    }

    #[test]
    fn files_that_no_profile_can_name_are_told() {
        for name in ["mine.ipxe", "a b.j2"] {
            let fault = faults(KERNEL, &[(name, "#!ipxe\n")]);
            assert_eq!(fault, [(Code::StrayFile, format!("templates/{name}"), 1)], "{name}");
        }
    }

    #[test]
    fn groups_that_differ_in_their_templates_differ() {
        let yaml = "boot:\n  groups:\n    a: {kernel: 'http://k/k', template: shell}\n    b: {kernel: 'http://k/k', template: bounded}\n";
        let (directory, _) = inventory(yaml, &[]);
        let path = directory.path().join("nodes.yaml");
        let nodes = std::fs::read_to_string(&path).unwrap().replace("[compute]", "[a, b]");
        std::fs::write(&path, nodes).unwrap();
        let codes: Vec<Code> = load(directory.path()).diagnostics.iter().map(|d| d.code).collect();
        assert!(codes.contains(&Code::ProfileConflict), "{codes:?}");
    }
}

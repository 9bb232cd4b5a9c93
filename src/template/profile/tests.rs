use super::*;

const VALUES: Values<'_> = Values {
    kernel: "K",
    initrd: "I",
    params: "quiet <&>",
    chain_url: "U?mac=m&retry=1",
    xname: "x1000c1s7b0n0",
    nid: Some(7),
    mac: "ec-e7-a7-05-a1-fc",
    delay: 33,
    retry: 0,
    attempts: 20,
};

fn fault(text: &str) -> (usize, String) {
    let fault = check(text).unwrap_err();
    (fault.line, fault.message)
}

#[test]
fn the_templates_of_this_program_are_sound() {
    for name in names().filter(|name| *name != BOOT) {
        assert_eq!(check(built_in(name).unwrap()), Ok(()), "{name}");
    }
    assert_eq!((built_in(BOOT), built_in("other")), (None, None));
}

#[test]
fn bounded_tries_again_so_often_and_then_starts_over() {
    let text = render("bounded", built_in("bounded").unwrap(), &VALUES).unwrap();
    let expected = "#!ipxe\nset tries:int32 0\nkernel --name kernel K quiet <&> || goto failed\n\
                    initrd --name initrd I || goto failed\nboot || goto failed\n:failed\nimgfree kernel ||\n\
                    imgfree initrd ||\ninc tries\niseq ${tries} 20 && reboot ||\nsleep 33\n\
                    chain --replace U?mac=m&retry=1 || goto failed\n\n";
    assert_eq!(text, expected);
    let without = render("bounded", built_in("bounded").unwrap(), &Values { initrd: "", retry: 5, ..VALUES }).unwrap();
    assert!(!without.contains("initrd --name") && without.contains("tries:int32 5\n"), "{without}");
}

#[test]
fn a_node_in_maintenance_boots_nothing_and_asks_again() {
    for name in ["maintenance", "shell"] {
        let text = render(name, built_in(name).unwrap(), &VALUES).unwrap();
        assert!(text.contains("x1000c1s7b0n0") && !text.contains("\nkernel ") && !text.contains("\nboot"), "{text}");
        assert!(text.ends_with("sleep 33\nchain --replace U?mac=m&retry=1 || reboot\n\n"), "{text}");
    }
}

#[test]
fn a_sites_template_has_the_values_and_few_filters() {
    let text = "#!ipxe\n{% if retry > 3 %}\nreboot\n{% endif %}\necho {{ xname | upper }} {{ nid }} {{ mac }}\n";
    assert_eq!(check(text), Ok(()));
    assert_eq!(render("own", text, &VALUES).unwrap(), "#!ipxe\necho X1000C1S7B0N0 7 ec-e7-a7-05-a1-fc\n");
    assert!(render("own", text, &Values { retry: 4, ..VALUES }).unwrap().contains("\nreboot\n"));
}

#[test]
fn a_fault_is_told_with_its_line() {
    assert_eq!(fault("#!ipxe\nkernel kernal\n{{ kernal }}\n"), (3, "`kernal` is no variable of boot scripts".into()));
    assert_eq!(fault("#!ipxe\n\n{% if %}\n").0, 3);
    assert_eq!(fault("#!ipxe\n{{ kernel | from_json }}\n").0, 2);
    assert_eq!(fault("echo\n"), (1, "the script does not begin with the line `#!ipxe`".into()));
    assert_eq!(fault("{% if initrd %}#!ipxe{% endif %}\n").0, 1);
    let long = format!("#!ipxe\n{}", "x".repeat(MAX_SCRIPT));
    assert_eq!(fault(&long).1, "the script becomes longer than 64 KiB");
}

#[test]
fn a_template_that_does_too_much_is_told_and_ended() {
    let digits = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
    let nested = |depth: usize| {
        let begin = format!("{{% for x in {digits} %}}").repeat(depth);
        format!("#!ipxe\n{begin}{}\n", "{% endfor %}".repeat(depth))
    };
    assert_eq!(check(&nested(3)), Ok(()), "a thousand rounds are no harm");
    let over_params = "#!ipxe\n{% for a in params %}{% for b in params %}{% endfor %}{% endfor %}\n";
    assert_eq!(fault(over_params).1, fault(&nested(12)).1, "the few letters of a short sample would pass");
    assert_eq!(fault(&nested(12)).1, "it does too much: loops within loops, or over long texts");
    let error = render("own", &nested(12), &VALUES).unwrap_err().to_string();
    assert!(error.contains("template own cannot be rendered"), "{error}");
}

#[test]
fn what_just_passes_the_check_is_rendered_for_a_node_with_longer_values() {
    let looping = |rounds: usize| {
        let list = vec!["0"; rounds].join(", ");
        format!("#!ipxe\n{{% for a in params %}}{{% for b in [{list}] %}}{{% endfor %}}{{% endfor %}}\n")
    };
    let most = (1..).take_while(|rounds| check(&looping(*rounds)).is_ok()).last().unwrap();
    let long = "x".repeat(2 * LONGEST_PARAMS);
    let script = render("own", &looping(most), &Values { params: &long, ..VALUES }).unwrap();
    assert!(script.starts_with(FIRST_LINE));
}

#[test]
fn a_template_that_cannot_be_rendered_is_named() {
    let error = render("own", "{{ other }}", &VALUES).unwrap_err().to_string();
    assert!(error.contains("template own cannot be rendered"), "{error}");
}

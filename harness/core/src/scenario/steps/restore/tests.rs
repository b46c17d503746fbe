use super::*;
use crate::scenario::Scenario;

#[test]
fn the_documentation_names_every_word() {
    for (word, _) in HARMS {
        assert!(KIND.what.contains(&format!("`{word}`")), "{word}");
    }
}

/// What is said of a script that publishes 6 events between its two parts.
fn said(before: &str, after: &str, rest: &str) -> String {
    let text = format!(
        "schema = 1\nname = \"x\"\ntitle = \"A drill\"\nproves = [\"restore-drill\"]\n\
         streams = [{{ topic = \"run:a:events\"{rest} }}]\nclients = [{{ name = \"desk\" }}]\nsteps = [\n\
         {{ do = \"connect\" }},\n{before}{{ do = \"publish\", stream = \"run:a:events\", count = 6 }},\n{after}]\n\
         at_least = {{ deliveries = 1 }}\n"
    );
    mistakes("x.toml", &text)
}

fn mistakes(path: &str, text: &str) -> String {
    Scenario::parse(path, text).map_or_else(|errors| errors.to_string(), |_| String::new())
}

const COLD: &str = "{ do = \"backup\", backup = \"b\", how = \"cold\" },\n";
const RESTORE: &str = "{ do = \"restore\", backup = \"b\" },\n";

#[test]
fn a_backup_is_restored_once_it_is_there() {
    assert_eq!(said("", &format!("{COLD}{RESTORE}"), ""), "");
    assert!(said("", RESTORE, "").contains("there is no backup `b` yet"));
}

#[test]
fn an_older_copy_needs_an_older_backup_that_lacks_events() {
    let older = RESTORE.replace("\"b\"", "\"b\", damage = \"older-copy\"");
    assert!(said("", &format!("{COLD}{older}"), "").contains("no backup before `b` has fewer events for certain"));
}

#[test]
fn a_defect_of_a_restore_is_planted_where_a_finding_is_expected() {
    let silent = RESTORE.replace("\"b\"", "\"b\", damage = \"torn-tail\", told = \"no\"");
    let planted = said("", &format!("{COLD}{silent}"), "");
    assert!(planted.contains("the step plants a defect, but no finding is expected"), "{planted}");
    assert!(planted.contains("a defect is planted in one lane"), "{planted}");
    let told = RESTORE.replace("\"b\"", "\"b\", told = \"no\"");
    assert!(said("", &format!("{COLD}{told}"), "").contains("there is no damage that could be told"));
}

#[test]
fn writers_are_first_only_where_a_cursor_lies_beyond_the_backup() {
    let text = include_str!("../../../../../../scenarios/known-bad/legacy-seq-used-again.toml");
    let path = "known-bad/legacy-seq-used-again.toml";
    assert_eq!(mistakes(path, text), "");
    let none_beyond = text.replace("  { do = \"publish\", stream = \"run:alpha:events\", count = 4 },\n", "");
    assert!(mistakes(path, &none_beyond).contains("no client's cursor lies beyond the backup"));
}

#[test]
fn what_retention_prunes_or_nobody_published_is_not_backed_up() {
    assert!(said("", &format!("{COLD}{RESTORE}"), ", retention = 3").contains("retention prunes"));
    assert!(said(COLD, RESTORE, "").contains("nothing is published yet"));
    let hot = "{ do = \"backup\", backup = \"b\", how = \"hot\" },\n";
    assert!(said("", &format!("{hot}{RESTORE}"), "").contains("needs `count`"));
    let cold = COLD.replace("\"cold\"", "\"cold\", count = 4");
    assert!(
        said("", &format!("{cold}{RESTORE}"), "").contains("nothing is published while a stopped server is copied")
    );
    assert!(said("", &format!("{COLD}{COLD}{RESTORE}"), "").contains("there is a backup `b` already"));
}

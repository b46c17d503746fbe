//! `junit.xml` against the schema that Jenkins' xUnit plugin refuses reports by: `junit-10.xsd`, as the plugin has it.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{blocked, outside, rendered};

/// What the schema says of an element.
#[derive(Default)]
struct Allowed {
    /// Attributes, and whether each must be there.
    attributes: BTreeMap<String, bool>,
    /// Attributes of the type `SUREFIRE_TIME`.
    times: BTreeSet<String>,
    children: BTreeSet<String>,
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.try_get_attribute(name).unwrap()?;
    Some(found.unescape_value().unwrap().into_owned())
}

/// Every start tag of a document, with the depth that it stands at.
fn starts(text: &str) -> Vec<(usize, BytesStart<'static>)> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let (mut depth, mut starts) = (0, Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                starts.push((depth, start.into_owned()));
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            Event::Eof => return starts,
            _ => {}
        }
    }
}

/// The elements that the schema declares at its top: all that a report of ours is made of.
fn schema() -> BTreeMap<String, Allowed> {
    let mut elements = BTreeMap::<String, Allowed>::new();
    let mut element = String::new();
    for (depth, start) in starts(include_str!("../junit-10.xsd")) {
        let name = attribute(&start, "name").unwrap_or_default();
        match (depth, start.local_name().as_ref()) {
            (1, b"element") => {
                element.clone_from(&name);
                elements.entry(name).or_default();
            }
            (1, _) => element.clear(),
            (_, b"attribute") if !element.is_empty() => {
                let allowed = elements.get_mut(&element).unwrap();
                if attribute(&start, "type").as_deref() == Some("SUREFIRE_TIME") {
                    allowed.times.insert(name.clone());
                }
                let required = attribute(&start, "use").as_deref() == Some("required");
                allowed.attributes.insert(name, required);
            }
            (_, b"element") if !element.is_empty() => {
                let child = attribute(&start, "ref").unwrap();
                elements.get_mut(&element).unwrap().children.insert(child);
            }
            _ => {}
        }
    }
    elements
}

/// What of a report the schema does not admit.
fn violations(report: &str) -> Vec<String> {
    let schema = schema();
    let mut wrong = Vec::new();
    let mut path: Vec<String> = Vec::new();
    for (depth, start) in starts(report) {
        let name = String::from_utf8(start.local_name().as_ref().to_vec()).unwrap();
        path.truncate(depth);
        let Some(allowed) = schema.get(&name) else {
            wrong.push(format!("there is no <{name}>"));
            continue;
        };
        if let Some(parent) = path.last()
            && !schema[parent].children.contains(&name)
        {
            wrong.push(format!("<{name}> stands in <{parent}>"));
        }
        let mut required: BTreeSet<_> = allowed.attributes.iter().filter(|(_, required)| **required).collect();
        for found in start.attributes() {
            let found = found.unwrap();
            let (key, value) = (String::from_utf8(found.key.0.to_vec()).unwrap(), found.unescape_value().unwrap());
            match allowed.attributes.get_key_value(&key) {
                Some(known) => drop(required.remove(&known)),
                None => wrong.push(format!("<{name}> has the attribute {key}")),
            }
            if allowed.times.contains(&key) && value.parse::<f64>().is_err() {
                wrong.push(format!("{key} of <{name}> is no time: {value}"));
            }
        }
        wrong.extend(required.iter().map(|(key, _)| format!("<{name}> lacks {key}")));
        path.push(name);
    }
    wrong
}

#[test]
fn the_report_is_valid_by_the_schema_of_jenkins() {
    let (report, left_out) = (rendered("junit", &blocked()), rendered("junit", &outside()));
    assert_eq!([violations(&report), violations(&left_out)], [Vec::<String>::new(), Vec::new()]);
    assert!(report.contains("<failure") && report.contains("<error"), "{report}");
    assert!(left_out.contains("<skipped"), "{left_out}");
}

#[test]
fn a_report_that_jenkins_would_refuse_is_told() {
    let report = "<testsuites skipped=\"1\" time=\"soon\"><testsuite name=\"a\" tests=\"1\" failures=\"0\">\
                  <testcase name=\"b\"><testcase name=\"c\"/><note/></testcase></testsuite></testsuites>";
    assert_eq!(
        violations(report),
        [
            "<testsuites> has the attribute skipped",
            "time of <testsuites> is no time: soon",
            "<testsuite> lacks errors",
            "<testcase> stands in <testcase>",
            "there is no <note>",
        ]
    );
}

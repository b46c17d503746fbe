//! A profile as TOML: what differs from the defaults, and comments on what was not decided.

use cutover_core::plan::Serializer;

use crate::lane::phoenix::forms::ResumeForm;
use crate::lane::phoenix::profile::{HashKind, PhoenixProfile};

pub(super) fn of(profile: &PhoenixProfile, undecided: &[String]) -> String {
    let usual = PhoenixProfile::default();
    let mut out = vec!["kind = \"phoenix\"".to_owned(), line("socket_url", &profile.socket_url)];
    out.extend(undecided.iter().map(|what| format!("# Not decided: {what}")));
    let serializer = match profile.serializer {
        Some(Serializer::V1) => "v1",
        _ => "v2",
    };
    out.push("# The session spoke this one. Leave it out where the service speaks both.".to_owned());
    out.push(line("serializer", serializer));
    out.push(line("channel", &profile.channel));
    if profile.payload_hash != usual.payload_hash {
        out.push(line("payload_hash", if profile.payload_hash == HashKind::None { "none" } else { "canonical" }));
    }
    table(&mut out, "join", &profile.join);
    out.extend(["".to_owned(), "[policy]".to_owned(), line("path", "")]);
    let envelope = &profile.envelope;
    let mut enveloped: Vec<(&str, &str)> = vec![];
    for (key, at) in envelope.pointers() {
        if !at.is_empty() {
            enveloped.push((key.trim_start_matches("envelope."), at));
        }
    }
    names(&mut out, "envelope", &enveloped);
    if !envelope.with.is_empty() {
        table(&mut out, "envelope.with", &envelope.with);
    }
    let mut forms = Vec::new();
    if !profile.forms.watermark.is_usual() {
        forms.push(("watermark", profile.forms.watermark.as_str()));
    }
    match profile.forms.resume_after {
        ResumeForm::Map => {}
        ResumeForm::List => forms.push(("resume_after", "list")),
        ResumeForm::One => forms.push(("resume_after", "one")),
    }
    names(&mut out, "forms", &forms);
    let differing = |own: Vec<(&'static str, String)>, usual: Vec<(&'static str, String)>| {
        own.into_iter().zip(usual).filter(|(own, usual)| own.1 != usual.1).map(|(own, _)| own).collect::<Vec<_>>()
    };
    let owned = |pairs: Vec<(&'static str, &str)>| {
        pairs.into_iter().map(|(key, name)| (key, name.to_owned())).collect::<Vec<_>>()
    };
    let tables = [
        ("events", differing(owned(profile.events.pairs()), owned(usual.events.pairs()))),
        ("fields", differing(owned(profile.fields.pairs()), owned(usual.fields.pairs()))),
        ("refusal", differing(owned(profile.refusal.pairs()), owned(usual.refusal.pairs()))),
    ];
    for (table, pairs) in &tables {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(usual, name)| (key_of(usual), name.as_str())).collect();
        names(&mut out, table, &pairs);
    }
    let kinds = [
        ("update_batch", &profile.frame_kinds.update_batch, &usual.frame_kinds.update_batch),
        ("error", &profile.frame_kinds.error, &usual.frame_kinds.error),
    ];
    let kinds: Vec<(&str, &str)> =
        kinds.into_iter().filter(|(_, own, usual)| own != usual).map(|(key, own, _)| (key, own.as_str())).collect();
    names(&mut out, "frame_kinds", &kinds);
    out.push(String::new());
    out.join("\n")
}

/// The key of an event or a field is the contract's name, without `sync:`.
fn key_of(usual: &'static str) -> &'static str {
    usual.strip_prefix("sync:").unwrap_or(usual)
}

fn line(key: &str, value: &str) -> String {
    format!("{key} = {}", toml::Value::from(value))
}

fn names(out: &mut Vec<String>, table: &str, pairs: &[(&str, &str)]) {
    if pairs.is_empty() {
        return;
    }
    out.extend([String::new(), format!("[{table}]")]);
    out.extend(pairs.iter().map(|(key, value)| line(key, value)));
}

fn table(out: &mut Vec<String>, name: &str, table: &toml::Table) {
    out.extend([String::new(), format!("[{name}]")]);
    out.extend(toml::to_string(table).unwrap_or_default().lines().map(str::to_owned));
}

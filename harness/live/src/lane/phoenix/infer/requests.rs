//! What the client asked, and what it was answered: channels, the names of its events and of their fields, the envelope
//! of requests and of replies.

use serde_json::{Map, Value};

use super::{Findings, Read, escaped, objects, watermark};
use crate::lane::phoenix::forms::{ResumeForm, WatermarkForm};
use crate::lane::phoenix::profile::PhoenixProfile;

const JOIN: &str = "phx_join";

pub(super) fn look_at(read: &[Read], found: &mut Findings) {
    let usual = PhoenixProfile::default();
    let joins: Vec<&Read> = read.iter().filter(|read| read.is_up() && read.message.event == JOIN).collect();
    let Some(first) = joins.first() else {
        return found.undecided.push("channel: the session joins none".to_owned());
    };
    let channel = first.message.topic.clone();
    let asked = read.iter().filter(|read| read.is_up() && !read.is_own() && is_joined(&joins, &read.message.topic));
    let mut subscribe = None;
    let mut heartbeat = None;
    for request in asked {
        match topics_in(&request.payload) {
            Some(place) if subscribe.is_none() => subscribe = Some((request, place)),
            Some(_) if subscribe.as_ref().is_some_and(|(known, _)| known.message.event == request.message.event) => {}
            Some(_) => found.profile.events.unsubscribe.clone_from(&request.message.event),
            None if is_bare(&request.payload) => heartbeat = Some(request.message.event.clone()),
            None => {}
        }
    }
    match subscribe {
        Some((request, place)) => read_subscribe(request, &place, found),
        None => by_channel(read, &joins, &channel, found),
    }
    if found.profile.channel_parts().is_none() && found.profile.channel == usual.channel {
        found.profile.channel = channel;
    }
    match heartbeat {
        Some(name) => found.profile.events.heartbeat = name,
        None => {
            found.profile.events.heartbeat = String::new();
            found.undecided.push("events.heartbeat: the session has no heartbeat of the channel".to_owned());
        }
    }
    let mut params = first.payload.as_object().cloned().unwrap_or_default();
    params.remove(&found.profile.client_param);
    found.profile.join = params.iter().filter_map(|(name, value)| Some((name.clone(), param(value)?))).collect();
}

fn param(value: &Value) -> Option<toml::Value> {
    match value {
        Value::String(text) => Some(toml::Value::from(text.as_str())),
        Value::Bool(flag) => Some(toml::Value::from(*flag)),
        Value::Number(number) => number.as_i64().map(toml::Value::from),
        _ => None,
    }
}

fn is_joined(joins: &[&Read], channel: &str) -> bool {
    joins.iter().any(|join| join.message.topic == channel)
}

fn is_bare(payload: &Value) -> bool {
    objects(payload).iter().all(|(_, members)| members.values().all(|value| value.is_object() || !value.is_array()))
}

/// Where a list of topics stands: the pointer to its object, and its name there.
fn topics_in(payload: &Value) -> Option<(String, String)> {
    objects(payload).into_iter().find_map(|(at, members)| {
        let is_topics = |value: &Value| {
            let list = value.as_array().filter(|list| !list.is_empty());
            list.is_some_and(|list| list.iter().all(Value::is_string))
        };
        members.iter().find(|(_, value)| is_topics(value)).map(|(name, _)| (at, name.clone()))
    })
}

fn read_subscribe(request: &Read, (at, topics): &(String, String), found: &mut Findings) {
    let Some(body) = request.payload.pointer(at).and_then(Value::as_object) else { return };
    let profile = &mut found.profile;
    profile.events.subscribe.clone_from(&request.message.event);
    profile.envelope.request.clone_from(at);
    if at.matches('/').count() == 1 {
        let beside = request.payload.as_object().into_iter().flatten();
        let beside = beside.filter(|(name, _)| format!("/{}", escaped(name)) != *at);
        profile.envelope.with = beside.filter_map(|(name, value)| Some((name.clone(), param(value)?))).collect();
    }
    profile.fields.topics.clone_from(topics);
    let listed = body[topics].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    found.topics.extend(listed);
    if let Some(topic) = found.topics.iter().find(|topic| request.message.topic.contains(topic.as_str())) {
        profile.channel = request.message.topic.replacen(topic.as_str(), "{topic}", 1);
    }
    profile.fields.replay_batch_size = String::new();
    let mut resumes = false;
    for (name, value) in body.iter().filter(|(name, _)| *name != topics) {
        if value.is_u64() {
            profile.fields.replay_batch_size.clone_from(name);
        } else if let Some(form) = cursors_in(value, &found.topics, &mut profile.fields) {
            profile.fields.resume_after.clone_from(name);
            profile.forms.resume_after = form;
            resumes = true;
        }
    }
    if profile.fields.replay_batch_size.is_empty() {
        found.undecided.push("fields.replay_batch_size: no subscribe of the session has a number".to_owned());
    }
    if !resumes {
        found
            .undecided
            .push("fields.resume_after, forms.resume_after: no subscribe of the session has a cursor".into());
    }
}

/// The form of a value that has cursors of topics.
fn cursors_in(
    value: &Value,
    topics: &std::collections::BTreeSet<String>,
    fields: &mut crate::lane::phoenix::profile::FieldNames,
) -> Option<ResumeForm> {
    match value {
        Value::Object(members) if members.keys().all(|name| topics.contains(name)) => Some(ResumeForm::Map),
        Value::Array(list) => {
            let entry = list.first()?.as_object()?;
            let (topic, mark) = entry_names(entry, topics)?;
            (fields.topic, fields.watermark) = (topic, mark);
            Some(ResumeForm::List)
        }
        other => watermark(other).map(|_| ResumeForm::One),
    }
}

/// The names of the topic and of the watermark in an entry of a list.
fn entry_names(entry: &Map<String, Value>, topics: &std::collections::BTreeSet<String>) -> Option<(String, String)> {
    let is_topic = |value: &Value| value.as_str().is_some_and(|text| topics.contains(text));
    let topic = entry.iter().find(|(_, value)| is_topic(value))?.0;
    let mark = entry.iter().find(|(name, value)| *name != topic && watermark(value).is_some())?.0;
    Some((topic.clone(), mark.clone()))
}

/// No request names topics: each topic has its channel, and a request or the join itself subscribes.
fn by_channel(read: &[Read], joins: &[&Read], channel: &str, found: &mut Findings) {
    let Some((before, topic)) = channel.split_once(':') else {
        return found.undecided.push("events.subscribe: no request of the session names topics".to_owned());
    };
    let profile = &mut found.profile;
    profile.channel = format!("{before}:{{topic}}");
    found.topics.extend(
        joins.iter().filter_map(|join| join.message.topic.strip_prefix(&format!("{before}:"))).map(str::to_owned),
    );
    found.topics.insert(topic.to_owned());
    (profile.fields.topics, profile.events.unsubscribe) = (String::new(), String::new());
    profile.fields.replay_batch_size = String::new();
    let asks = |read: &&Read| read.is_up() && !read.is_own() && read.message.topic == channel;
    let asked = read.iter().filter(asks).find(|request| cursor_alone(&request.payload).is_some());
    profile.events.subscribe = asked.map(|request| request.message.event.clone()).unwrap_or_default();
    let from = asked.map_or(&joins[0].payload, |request| &request.payload);
    match cursor_alone(from) {
        Some((at, name)) => {
            (profile.envelope.request, profile.fields.resume_after) = (at, name);
            profile.forms.resume_after = ResumeForm::One;
        }
        None => {
            profile.fields.resume_after = String::new();
            found.undecided.push("fields.resume_after: no join of the session has a cursor".to_owned());
        }
    }
    found.undecided.push("events.subscribe: the join of a topic's channel is taken for the subscribe".to_owned());
}

/// The place and the name of a field that may be a cursor.
fn cursor_alone(payload: &Value) -> Option<(String, String)> {
    let words = ["resume", "since", "after", "cursor", "last", "offset", "seq", "from"];
    objects(payload).into_iter().find_map(|(at, members)| {
        let is_cursor =
            |name: &str, value: &Value| words.iter().any(|word| name.contains(word)) && watermark(value).is_some();
        members.iter().find(|(name, value)| is_cursor(name, value)).map(|(name, _)| (at, name.clone()))
    })
}

/// The replies to the joins and subscribes: their envelope, and where the watermarks are.
pub(super) fn look_at_replies(read: &[Read], found: &mut Findings) {
    let subscribe = found.profile.events.subscribe.clone();
    let is_asked =
        |read: &Read| read.is_up() && read.message.event == if subscribe.is_empty() { JOIN } else { &subscribe };
    let refs: Vec<&Value> = read.iter().filter(|read| is_asked(read)).map(|read| &read.message.msg_ref).collect();
    let replies = read.iter().filter(|read| !read.is_up() && read.message.event == "phx_reply");
    let mut seen = false;
    for reply in replies {
        let response = &reply.payload["response"];
        match reply.payload["status"].as_str() {
            Some("ok") if refs.contains(&&reply.message.msg_ref) && !seen => {
                seen = read_marks(response, &reply.message.topic, found);
            }
            Some("error") => read_refusal(response, found),
            _ => {}
        }
    }
    if !seen {
        found.undecided.push("fields.current_watermarks: no reply to a subscribe has watermarks".to_owned());
    }
}

fn read_marks(response: &Value, channel: &str, found: &mut Findings) -> bool {
    let topic_of_channel = found.profile.topic_of_channel(channel).is_some();
    let place = objects(response).into_iter().find_map(|(at, members)| {
        let marks = |value: &Value| {
            marks_form(value, found).or_else(|| watermark(value).filter(|_| topic_of_channel).map(|(_, form)| form))
        };
        members.iter().find_map(|(name, value)| Some((at.clone(), name.clone(), marks(value)?)))
    });
    let Some((at, name, form)) = place else { return false };
    found.profile.envelope.reply = at;
    found.profile.fields.current_watermarks = name;
    if let Ok(form) = WatermarkForm::try_from(form) {
        found.profile.forms.watermark = form;
    }
    true
}

/// The form of the watermarks in a list or an object of them.
pub(super) fn marks_form(value: &Value, found: &Findings) -> Option<String> {
    match value {
        Value::Array(list) => {
            let entry = list.first()?.as_object()?;
            let (_, name) = entry_names(entry, &found.topics)?;
            watermark(&entry[&name]).map(|(_, form)| form)
        }
        Value::Object(members) if !members.is_empty() && members.keys().all(|name| found.topics.contains(name)) => {
            watermark(members.values().next()?).map(|(_, form)| form)
        }
        _ => None,
    }
}

/// The names in the entries of a list of watermarks.
pub(super) fn marks_names(value: &Value, found: &Findings) -> Option<(String, String)> {
    entry_names(value.as_array()?.first()?.as_object()?, &found.topics)
}

fn read_refusal(response: &Value, found: &mut Findings) {
    let named = |members: &Map<String, Value>| {
        let names = ["code", "reason", "error_code", "error", "type"];
        let known = names.iter().find(|name| members.get(**name).is_some_and(Value::is_string));
        known.map(|name| (*name).to_owned())
    };
    let place = objects(response).into_iter().find_map(|(at, members)| Some((at, named(members)?, members)));
    let Some((at, name, members)) = place else { return };
    let code = members[&name].as_str().unwrap_or_default().to_owned();
    found.profile.envelope.refusal = at;
    if name != "reason" {
        found.profile.refusal.code = name;
    }
    let note = format!("codes: a request was refused with `{code}`; [codes] says which of the contract's it is");
    if !found.profile.codes.is_contracts(&code) && !found.undecided.contains(&note) {
        found.undecided.push(note);
    }
}

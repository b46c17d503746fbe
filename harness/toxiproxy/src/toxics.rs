//! The toxics of one proxy: read, answered, kept in the order of their chains.

use cutover_core::ids::FaultId;
use cutover_core::plan::fault::spec::FaultSpec;
use cutover_core::plan::{ByteToxic, Direction, TOXICS};
use cutover_live::proxy::MessageToxic;
use cutover_live::toxic::Toxic;

use crate::error::ApiError;
use crate::go::decode::{Decoder, Field, Raw};
use crate::go::write::{float32, quote};
use crate::message::{Attributes, is_upstream_only, message_type};

#[derive(Debug, Clone)]
enum Kind {
    Noop,
    Bytes(ByteToxic),
    Messages(Attributes),
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub name: String,
    pub stream: String,
    direction: Direction,
    toxicity: f32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touched {
    Nothing,
    Bytes,
    Messages,
}

#[derive(Debug, Clone, Default)]
pub struct Toxics {
    entries: Vec<Entry>,
}

struct Fields<'a> {
    attributes: Option<Raw<'a>>,
    name: String,
    of: String,
    stream: Option<String>,
    toxicity: f32,
}

impl Toxics {
    /// All of them: what works upstream first, each chain in its order.
    pub fn in_order(&self) -> impl Iterator<Item = &Entry> {
        let chain = |direction| self.entries.iter().filter(move |entry| entry.direction == direction);
        chain(Direction::Upstream).chain(chain(Direction::Downstream))
    }

    pub fn get(&self, name: &str) -> Result<&Entry, ApiError> {
        let found = self.entries.iter().find(|entry| entry.name == name);
        found.ok_or_else(ApiError::no_toxic)
    }

    pub fn add(&mut self, body: &[u8]) -> Result<&Entry, ApiError> {
        let fields = fields_of(body)?;
        let message = message_type(&fields.of);
        let usual = if message.is_some_and(is_upstream_only) { Direction::Upstream } else { Direction::Downstream };
        let stream = fields.stream.unwrap_or_else(|| usual.as_str().to_owned());
        let direction = direction_of(&stream)?;
        let name = if fields.name.is_empty() { format!("{}_{stream}", fields.of) } else { fields.name };
        let blank = match message {
            Some(_) => None,
            None => Some(blank(&fields.of).ok_or_else(ApiError::invalid_type)?),
        };
        if self.get(&name).is_ok() {
            return Err(ApiError::toxic_exists());
        }
        let kind = match (message, blank) {
            (Some(of), _) => Kind::Messages(message_attributes(of, direction, fields.attributes)?),
            (None, blank) => with_attributes(blank.unwrap_or(Kind::Noop), fields.attributes)?,
        };
        self.entries.push(Entry { name, stream, direction, toxicity: fields.toxicity, kind });
        self.entries.last().ok_or_else(ApiError::no_toxic)
    }

    pub fn update(&mut self, name: &str, body: &[u8]) -> Result<&Entry, ApiError> {
        let found = self.entries.iter_mut().find(|entry| entry.name == name);
        let entry = found.ok_or_else(ApiError::no_toxic)?;
        *entry = entry.changed(body)?;
        Ok(entry)
    }

    pub fn remove(&mut self, name: &str) -> Result<Entry, ApiError> {
        let at = self.entries.iter().position(|entry| entry.name == name);
        at.map(|at| self.entries.remove(at)).ok_or_else(ApiError::no_toxic)
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }

    pub fn json(&self) -> String {
        let all: Vec<String> = self.in_order().map(Entry::json).collect();
        format!("[{}]", all.join(","))
    }

    pub fn bytes(&self) -> Vec<Toxic> {
        let toxic = |entry: &Entry| match &entry.kind {
            Kind::Bytes(toxic) => Some(Toxic {
                name: FaultId::new(&entry.name),
                direction: entry.direction,
                toxicity: f64::from(entry.toxicity),
                toxic: toxic.clone(),
            }),
            Kind::Noop | Kind::Messages(_) => None,
        };
        self.in_order().filter_map(toxic).collect()
    }

    pub fn messages(&self, proxy: &str) -> Vec<MessageToxic> {
        let toxic = |entry: &Entry| match &entry.kind {
            Kind::Messages(attributes) => Some(MessageToxic {
                fault: attributes.fault(&entry.name, proxy, entry.direction),
                toxicity: f64::from(entry.toxicity),
            }),
            Kind::Noop | Kind::Bytes(_) => None,
        };
        self.in_order().filter_map(toxic).collect()
    }
}

impl Entry {
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::Noop => "noop",
            Kind::Bytes(toxic) => toxic.type_name(),
            Kind::Messages(attributes) => attributes.type_name(),
        }
    }

    pub fn touches(&self) -> Touched {
        match self.kind {
            Kind::Noop => Touched::Nothing,
            Kind::Bytes(_) => Touched::Bytes,
            Kind::Messages(_) => Touched::Messages,
        }
    }

    pub fn json(&self) -> String {
        let attributes = match &self.kind {
            Kind::Noop => "{}".to_owned(),
            Kind::Bytes(toxic) => {
                let members = toxic.spec().attributes.iter().zip(toxic.values());
                let members: Vec<_> =
                    members.map(|(attribute, number)| format!("\"{}\":{number}", attribute.name)).collect();
                format!("{{{}}}", members.join(","))
            }
            Kind::Messages(attributes) => attributes.json(),
        };
        format!(
            "{{\"attributes\":{attributes},\"name\":{},\"type\":{},\"stream\":{},\"toxicity\":{}}}",
            quote(&self.name),
            quote(self.type_name()),
            quote(&self.stream),
            float32(self.toxicity)
        )
    }

    fn changed(&self, body: &[u8]) -> Result<Entry, ApiError> {
        let raw = Raw::first_of(body).map_err(|malformed| ApiError::bad_body(&malformed.message))?;
        let mut decoder = Decoder::default();
        let mut changed = self.clone();
        let mut attributes = None;
        for (field, value) in decoder.fields(raw, None, UPDATE, &["attributes", "toxicity"]) {
            match field {
                0 => attributes = Some(value),
                _ => decoder.float32(value, place("", "toxicity"), &mut changed.toxicity),
            }
        }
        changed.kind = match &self.kind {
            Kind::Messages(before) => {
                if let Some(raw) = attributes {
                    decoder.fields(raw, Some(place("", "attributes")), before.type_name(), &[]);
                }
                decoder.finish().map_err(|why| ApiError::bad_body(&why))?;
                Kind::Messages(before.with(attributes).map_err(|why| ApiError::bad_body(&why))?)
            }
            other => {
                let kind = fill(&mut decoder, other.clone(), attributes);
                decoder.finish().map_err(|why| ApiError::bad_body(&why))?;
                kind
            }
        };
        Ok(changed)
    }
}

/// Go's name for the nameless type that an update is read into.
const UPDATE: &str =
    "struct { Attributes interface {} \"json:\\\"attributes\\\"\"; Toxicity float32 \"json:\\\"toxicity\\\"\" }";

fn place<'a>(structure: &'a str, path: &'a str) -> Field<'a> {
    Field { structure, path }
}

fn fields_of(body: &[u8]) -> Result<Fields<'_>, ApiError> {
    let raw = Raw::first_of(body).map_err(|malformed| ApiError::bad_body(&malformed.message))?;
    let mut fields = Fields { attributes: None, name: String::new(), of: String::new(), stream: None, toxicity: 1.0 };
    const NAMES: [&str; 5] = ["attributes", "name", "type", "stream", "toxicity"];
    let mut decoder = Decoder::default();
    for (field, value) in decoder.fields(raw, None, "toxics.ToxicWrapper", &NAMES) {
        let at = place("ToxicWrapper", NAMES[field]);
        match field {
            0 => {
                // What is in it is read once the type is known.
                decoder.fields(value, Some(at), "toxics.NoopToxic", &[]);
                fields.attributes = Some(value);
            }
            1 => decoder.string(value, at, &mut fields.name),
            2 => decoder.string(value, at, &mut fields.of),
            3 if value.is_null() => {}
            3 => decoder.string(value, at, fields.stream.get_or_insert_default()),
            _ => decoder.float32(value, at, &mut fields.toxicity),
        }
    }
    decoder.finish().map_err(|why| ApiError::bad_body(&why))?;
    Ok(fields)
}

fn direction_of(stream: &str) -> Result<Direction, ApiError> {
    match stream.to_lowercase().as_str() {
        "upstream" => Ok(Direction::Upstream),
        "downstream" => Ok(Direction::Downstream),
        _ => Err(ApiError::invalid_stream()),
    }
}

fn message_attributes(
    of: &'static FaultSpec,
    direction: Direction,
    given: Option<Raw<'_>>,
) -> Result<Attributes, ApiError> {
    if is_upstream_only(of) && direction == Direction::Downstream {
        return Err(ApiError::bad_body(
            "ws_rewrite_cursor changes what clients ask for: its stream has to be upstream",
        ));
    }
    Attributes::read(of, given).map_err(|why| ApiError::bad_body(&why))
}

fn blank(of: &str) -> Option<Kind> {
    if of == "noop" {
        return Some(Kind::Noop);
    }
    let spec = TOXICS.iter().find(|spec| spec.name == of)?;
    ByteToxic::new(spec, &[]).map(Kind::Bytes)
}

/// The name of the type in Toxiproxy's own source, which its messages show, and of its attributes' type.
fn go_names(toxic: &ByteToxic) -> (&'static str, &'static str) {
    match toxic {
        ByteToxic::Latency { .. } => ("LatencyToxic", "int64"),
        ByteToxic::Bandwidth { .. } => ("BandwidthToxic", "int64"),
        ByteToxic::SlowClose { .. } => ("SlowCloseToxic", "int64"),
        ByteToxic::Timeout { .. } => ("TimeoutToxic", "int64"),
        ByteToxic::ResetPeer { .. } => ("ResetToxic", "int64"),
        ByteToxic::Slicer { .. } => ("SlicerToxic", "int"),
        ByteToxic::LimitData { .. } => ("LimitDataToxic", "int64"),
    }
}

fn with_attributes(kind: Kind, given: Option<Raw<'_>>) -> Result<Kind, ApiError> {
    let mut decoder = Decoder::default();
    let kind = fill(&mut decoder, kind, given);
    decoder.finish().map_err(|why| ApiError::bad_body(&why))?;
    Ok(kind)
}

fn fill(decoder: &mut Decoder, kind: Kind, given: Option<Raw<'_>>) -> Kind {
    let Some(given) = given else { return kind };
    let attributes = Some(place("", "attributes"));
    let Kind::Bytes(toxic) = kind else {
        decoder.fields(given, attributes, "toxics.NoopToxic", &[]);
        return kind;
    };
    let (structure, of) = go_names(&toxic);
    let names: Vec<&str> = toxic.spec().attributes.iter().map(|attribute| attribute.name).collect();
    let mut values = toxic.values();
    for (field, value) in decoder.fields(given, attributes, &format!("toxics.{structure}"), &names) {
        let path = format!("attributes.{}", names[field]);
        decoder.integer(value, place(structure, &path), of, &mut values[field]);
    }
    Kind::Bytes(ByteToxic::new(toxic.spec(), &values).unwrap_or(toxic))
}

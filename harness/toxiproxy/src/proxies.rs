//! All proxies of a service, by name.
//!
//! Code that holds a proxy's lock never takes the lock of this list, so that no two requests wait for each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use cutover_live::proxy::Limits;
use tokio::sync::RwLock;

use crate::error::ApiError;
use crate::go::decode::{Decoder, Field, Raw};
use crate::proxy::{Common, Proxy, Wanted};

/// Go's name for the nameless type that a populate is read into.
const POPULATE: &str = "struct { toxiproxy.Proxy; Enabled *bool \"json:\\\"enabled\\\"\" }";

const FIELDS: [&str; 4] = ["name", "listen", "upstream", "enabled"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub name: String,
    pub wanted: Wanted,
}

pub struct Proxies {
    all: RwLock<BTreeMap<String, Arc<Proxy>>>,
    common: Arc<Common>,
}

impl Proxies {
    pub fn new(seed: u64, limits: Limits) -> Proxies {
        Proxies { all: RwLock::default(), common: Arc::new(Common { seed, limits }) }
    }

    pub async fn all(&self) -> Vec<Arc<Proxy>> {
        self.all.read().await.values().cloned().collect()
    }

    pub async fn get(&self, name: &str) -> Result<Arc<Proxy>, ApiError> {
        self.all.read().await.get(name).cloned().ok_or_else(ApiError::no_proxy)
    }

    pub async fn create(&self, body: &[u8]) -> Result<Arc<Proxy>, ApiError> {
        let asked = Asked::default();
        let asked = read(body, |decoder, raw| asked.filled(decoder, raw, ("Proxy", "toxiproxy.Proxy")))?;
        asked.check("")?;
        let mut all = self.all.write().await;
        if all.contains_key(&asked.name) {
            return Err(ApiError::proxy_exists());
        }
        let proxy = Proxy::create(asked.name.clone(), asked.wanted, Arc::clone(&self.common), None).await?;
        all.insert(asked.name, Arc::clone(&proxy));
        Ok(proxy)
    }

    pub async fn update(&self, name: &str, body: &[u8]) -> Result<String, ApiError> {
        let proxy = self.get(name).await?;
        let before = Asked { name: name.to_owned(), wanted: proxy.wanted().await? };
        let asked = read(body, |decoder, raw| before.filled(decoder, raw, ("Proxy", "toxiproxy.Proxy")))?;
        proxy.update(asked.wanted).await
    }

    pub async fn delete(&self, name: &str) -> Result<(), ApiError> {
        let proxy = self.all.write().await.remove(name).ok_or_else(ApiError::no_proxy)?;
        proxy.delete().await;
        Ok(())
    }

    /// Creates those that are not there, and replaces those that listen or lead elsewhere. Gives those that it came to,
    /// and the error that ended it.
    pub async fn populate(&self, body: &[u8]) -> (Vec<Arc<Proxy>>, Option<ApiError>) {
        let asked = match Asked::list(body) {
            Ok(asked) => asked,
            Err(error) => return (Vec::new(), Some(error)),
        };
        let mut done = Vec::new();
        for asked in asked {
            match self.create_or_replace(asked).await {
                Ok(proxy) => done.push(proxy),
                Err(error) => return (done, Some(error)),
            }
        }
        (done, None)
    }

    async fn create_or_replace(&self, asked: Asked) -> Result<Arc<Proxy>, ApiError> {
        let mut all = self.all.write().await;
        let existing = all.get(&asked.name).cloned();
        if let Some(existing) = &existing
            && existing.agrees(&asked.wanted).await?
        {
            return Ok(Arc::clone(existing));
        }
        let common = Arc::clone(&self.common);
        let proxy = Proxy::create(asked.name.clone(), asked.wanted, common, existing.as_deref()).await?;
        all.insert(asked.name, Arc::clone(&proxy));
        if let Some(existing) = existing {
            existing.delete().await;
        }
        Ok(proxy)
    }

    pub async fn reset(&self) -> Result<(), ApiError> {
        let all = self.all().await;
        let mut opened = Vec::new();
        for proxy in &all {
            match proxy.enable().await {
                Ok(true) => opened.push(proxy),
                Ok(false) => {}
                Err(error) => {
                    for proxy in opened {
                        proxy.disable().await;
                    }
                    return Err(error);
                }
            }
        }
        for proxy in &all {
            proxy.clear_toxics().await;
        }
        Ok(())
    }

    pub async fn close(&self) {
        let all = std::mem::take(&mut *self.all.write().await);
        for proxy in all.into_values() {
            proxy.delete().await;
        }
    }
}

impl Default for Asked {
    fn default() -> Self {
        Asked { name: String::new(), wanted: Wanted { listen: String::new(), upstream: String::new(), enabled: true } }
    }
}

impl Asked {
    pub fn list(body: &[u8]) -> Result<Vec<Asked>, ApiError> {
        let list = read(body, |decoder, raw| {
            let elements = decoder.elements(raw, &format!("[]{POPULATE}"));
            let read = |raw| Asked::default().filled(decoder, raw, ("", POPULATE));
            elements.into_iter().map(read).collect::<Vec<Asked>>()
        })?;
        for (at, asked) in list.iter().enumerate() {
            asked.check(&format!(" at proxy {}", at + 1))?;
        }
        Ok(list)
    }

    /// This with the fields that are given, in the structure and type of these names.
    fn filled(mut self, decoder: &mut Decoder, raw: Raw<'_>, (structure, of): (&str, &str)) -> Asked {
        for (field, value) in decoder.fields(raw, None, of, &FIELDS) {
            let path = FIELDS[field];
            let place = Field { structure, path };
            match field {
                0 => decoder.string(value, place, &mut self.name),
                1 => decoder.string(value, place, &mut self.wanted.listen),
                2 => decoder.string(value, place, &mut self.wanted.upstream),
                _ => decoder.boolean(value, place, &mut self.wanted.enabled),
            }
        }
        self
    }

    fn check(&self, place: &str) -> Result<(), ApiError> {
        if self.name.is_empty() {
            return Err(ApiError::missing(&format!("name{place}")));
        }
        if self.wanted.upstream.is_empty() {
            return Err(ApiError::missing(&format!("upstream{place}")));
        }
        Ok(())
    }
}

/// Reads a body. The first value of a wrong type refuses it.
fn read<'a, T>(body: &'a [u8], fill: impl FnOnce(&mut Decoder, Raw<'a>) -> T) -> Result<T, ApiError> {
    let raw = Raw::first_of(body).map_err(|malformed| ApiError::bad_body(&malformed.message))?;
    let mut decoder = Decoder::default();
    let read = fill(&mut decoder, raw);
    decoder.finish().map_err(|why| ApiError::bad_body(&why))?;
    Ok(read)
}

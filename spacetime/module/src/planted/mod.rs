//! Defects of a careless module, for tests of the gate. Only `cutover_module_planted.wasm` has them: the published
//! module is built without the feature `planted`.
//!
//! Nothing is wrong until the owner of the database arms a defect with `arm_defect`. Each defect surrounds a reducer:
//! it changes what is asked, what is answered, or rows afterwards. So the rules themselves stay as they are.
//! `harness/core/src/plan/defect/module` says what each defect does, by its name.

mod text;

#[cfg(target_arch = "wasm32")]
mod access;
#[cfg(target_arch = "wasm32")]
mod append;
#[cfg(target_arch = "wasm32")]
mod clients;
#[cfg(target_arch = "wasm32")]
mod keys;
#[cfg(target_arch = "wasm32")]
mod payload;
#[cfg(target_arch = "wasm32")]
mod policy;
#[cfg(target_arch = "wasm32")]
mod reducers;
#[cfg(target_arch = "wasm32")]
mod resume;
#[cfg(target_arch = "wasm32")]
mod rows;

#[cfg(target_arch = "wasm32")]
mod db {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use spacetimedb::{ReducerContext, Table, reducer, table};

    use super::access;
    use crate::owner::check_owner;
    use crate::refusal::{Answer, Refusal, Rule};
    use crate::stream::db::{SyncStream, sync_stream};

    #[table(name = planted_defect)]
    pub struct PlantedDefect {
        #[primary_key]
        pub name: String,
    }

    /// What a defect keeps across restarts.
    #[table(name = planted_note)]
    pub struct PlantedNote {
        #[primary_key]
        pub name: String,
        pub text: String,
    }

    #[reducer]
    fn arm_defect(ctx: &ReducerContext, name: String) -> Answer {
        check_owner(ctx).map_err(|refusal| refusal.to_json())?;
        ctx.db.planted_defect().insert(PlantedDefect { name });
        Ok(())
    }

    /// What a caller asks of a reducer, and what the armed defects make of it.
    pub trait Around: Sized {
        fn around(self, armed: &Armed, rule: Rule<Self>) -> Result<(), Refusal> {
            rule(armed.ctx, self)
        }
    }

    pub fn answer<Asked: Around>(ctx: &ReducerContext, asked: Asked, rule: Rule<Asked>) -> Answer {
        let armed = Armed::of(ctx);
        if armed.names.is_empty() {
            return rule(ctx, asked).map_err(|refusal| refusal.to_json());
        }
        let lent = access::before(&armed);
        let result = asked.around(&armed, rule);
        access::after(&armed, lent);
        result.map_err(|refusal| armed.reword(refusal.to_json()))
    }

    /// Defects that change the text of a refusal.
    const REWORDED: [(&str, &str, &str); 5] = [
        ("other-code-for-conflicts", "\"idempotency_conflict\"", "\"conflict\""),
        ("other-code-for-sequences", "\"sequence_conflict\"", "\"idempotency_conflict\""),
        ("no-full-resync", "\"full_resync_required\":true", "\"full_resync_required\":false"),
        ("other-snapshot-format", "openagents.sync.snapshot.v1", "openagents.sync.snapshot.v2"),
        ("unknown-stream-is-stale", "\"forbidden_topic\"", "\"stale_cursor\""),
    ];

    /// The armed defects.
    pub struct Armed<'a> {
        pub ctx: &'a ReducerContext,
        names: Vec<String>,
    }

    impl<'a> Armed<'a> {
        pub fn of(ctx: &'a ReducerContext) -> Armed<'a> {
            Armed { ctx, names: ctx.db.planted_defect().iter().map(|defect| defect.name).collect() }
        }

        pub fn has(&self, name: &str) -> bool {
            self.names.iter().any(|armed| armed == name)
        }

        /// Counts on, from 1. The count survives a restart.
        pub fn count(&self, name: &str) -> u64 {
            let number = self.note(name).and_then(|text| text.parse().ok()).unwrap_or(0) + 1;
            self.keep(name, number.to_string());
            number
        }

        pub fn note(&self, name: &str) -> Option<String> {
            self.ctx.db.planted_note().name().find(name.to_owned()).map(|note| note.text)
        }

        pub fn keep(&self, name: &str, text: String) {
            let notes = self.ctx.db.planted_note();
            notes.name().delete(name.to_owned());
            notes.insert(PlantedNote { name: name.to_owned(), text });
        }

        pub fn stream(&self, stream_id: &str) -> Option<SyncStream> {
            self.ctx.db.sync_stream().stream_id().find(stream_id.to_owned())
        }

        pub fn now(&self) -> i64 {
            self.ctx.timestamp.to_micros_since_unix_epoch()
        }

        fn reword(&self, mut refusal: String) -> String {
            for (_, word, other) in REWORDED.into_iter().filter(|(name, _, _)| self.has(name)) {
                refusal = refusal.replace(word, other);
            }
            refusal
        }
    }

    thread_local! {
        /// What the module keeps in memory only. A restart loses it.
        static MEMORY: RefCell<BTreeMap<String, u64>> = const { RefCell::new(BTreeMap::new()) };
    }

    /// The number that was remembered under this name since the start, and this one where there was none.
    pub fn first_seen(name: String, number: u64) -> u64 {
        MEMORY.with_borrow_mut(|memory| *memory.entry(name).or_insert(number))
    }

    /// Whether the name was given before since the start.
    pub fn is_remembered(name: String) -> bool {
        MEMORY.with_borrow_mut(|memory| memory.insert(name, 1).is_some())
    }

    /// Remembers a number, and returns the one before.
    pub fn replace(name: String, number: u64) -> Option<u64> {
        MEMORY.with_borrow_mut(|memory| memory.insert(name, number))
    }
}

#[cfg(target_arch = "wasm32")]
pub use clients::disconnected;
#[cfg(target_arch = "wasm32")]
pub use db::{Armed, Around, answer, first_seen, is_remembered, replace};

//! `tokens`: connections with good and bad tokens, which the lanes must accept or refuse.

use super::super::read::as_word;
use super::prelude::*;
use crate::matrix::Part;
use crate::plan::{CONNECT, FIRST_KEY, TOKENS, Token};

pub(super) const KIND: StepKind = StepKind {
    name: "tokens",
    keys: &["as", "what"],
    what: "a connection is opened with each kind of token of the identity in `as`, or with those of `what`; the lane \
           must accept it, or refuse it with the contract's code",
    read,
};

#[derive(Debug)]
struct Tokens {
    identity: usize,
    tokens: Vec<&'static Token>,
}

fn read(section: &Section<'_>, names: &Names<'_>, mistakes: &mut Mistakes) -> Option<Box<dyn Step>> {
    let known: Vec<_> = TOKENS.iter().map(|token| (token.word, token)).collect();
    let identity = names.need_identity(section, mistakes);
    let words = section.texts("what", mistakes);
    let named: Option<Vec<_>> = words.into_iter().map(|word| as_word(word, "what", &known, mistakes)).collect();
    let tokens = if section.has("what") { named? } else { TOKENS.iter().collect() };
    Some(Box::new(Tokens { identity: identity?, tokens }))
}

impl Step for Tokens {
    fn rehearse(&self, rehearsal: &mut Rehearsal<'_, '_>) {
        rehearsal.needs_servers("a connection");
        for token in &self.tokens {
            let allowed = token.refused.is_none() && !(token.word == FIRST_KEY && rehearsal.world.retired);
            rehearsal.attempt((self.identity, 0), (token.word, CONNECT), (allowed, true));
        }
        let parts = [Part::TokenAccepted, Part::TokensRefused, Part::LeewayEdges, Part::KeyRotated];
        rehearsal.world.earn(None, parts);
    }
}

//! What a program says that stands in the place of a client.

use super::events;
use super::lane::delivered_hash;
use crate::history::{Record, Word};
use crate::ids::{ClientId, Seq, StreamId};

pub(super) fn said(client: &ClientId, said: &[&str]) -> Option<Vec<Record>> {
    let words = match *said {
        ["started"] => vec![Word::Started],
        ["handled"] => vec![Word::Handled],
        ["away"] => vec![Word::Away],
        ["tried", ref waits @ ..] => {
            let tried = |ms: &&str| Some(Word::Attempted { after_us: Some(ms.parse::<u64>().ok()? * 1000) });
            waits.iter().map(tried).collect::<Option<_>>()?
        }
        ["anew", stream] => vec![Word::Rebootstrap { stream: StreamId::from(stream), reason: "stale".to_owned() }],
        [what, ref tokens @ ..] => {
            let mut words = Vec::new();
            for token in tokens {
                let (event, other) = token.split_once('=').map_or((*token, None), |(it, other)| (it, Some(other)));
                let (stream, seqs) = events(event)?;
                for seq in seqs {
                    let hash = delivered_hash(stream, seq, other)?;
                    let (stream, seq) = (StreamId::from(stream), Seq(seq));
                    words.push(match what {
                        "applied" => Word::Applied { stream, seq, hash },
                        "duplicate" => Word::Duplicate { stream, seq },
                        "stored" => Word::Checkpoint { stream, seq },
                        _ => return None,
                    });
                }
            }
            words
        }
        [] => return None,
    };
    Some(words.into_iter().map(|word| Record::Program { client: client.clone(), word }).collect())
}

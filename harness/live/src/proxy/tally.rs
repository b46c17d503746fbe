//! Counts positions over all connections of a proxy, and requests that the lane has not answered.

use std::collections::{BTreeMap, VecDeque};

use crate::frame::{Direction, FrameTag};

#[derive(Default)]
pub(super) struct Tally {
    resumes: u32,
    heartbeat_replies: u32,
    unanswered: BTreeMap<u32, Unanswered>,
}

#[derive(Default)]
struct Unanswered {
    /// Resumes, by their numbers. A reply answers the oldest one of its connection, so that a resume of a cut
    /// connection does not get the reply of a later one.
    resumes: VecDeque<u32>,
    others: u32,
}

/// The most unanswered resumes that are kept of one connection. The answers of further ones get no number.
const RESUMES_MAX: usize = 1024;

impl Tally {
    /// Counts a message, and gives its number among those of its kind (`Seen::nth`).
    pub(super) fn count(&mut self, conn: u32, direction: Direction, tag: &FrameTag) -> u32 {
        match (direction, tag) {
            (Direction::Upstream, FrameTag::Resume { opens: true, .. }) => {
                self.resumes += 1;
                let resumes = &mut self.unanswered.entry(conn).or_default().resumes;
                if resumes.len() < RESUMES_MAX {
                    resumes.push_back(self.resumes);
                }
                self.resumes
            }
            (Direction::Upstream, FrameTag::Publish | FrameTag::Heartbeat) => {
                let others = &mut self.unanswered.entry(conn).or_default().others;
                *others = others.saturating_add(1);
                0
            }
            (Direction::Downstream, FrameTag::ResumeReply) => {
                self.unanswered.get_mut(&conn).and_then(|unanswered| unanswered.resumes.pop_front()).unwrap_or(0)
            }
            (Direction::Downstream, FrameTag::Ack) => {
                self.answered(conn);
                0
            }
            (Direction::Downstream, FrameTag::HeartbeatReply) => {
                self.answered(conn);
                self.heartbeat_replies += 1;
                self.heartbeat_replies
            }
            _ => 0,
        }
    }

    fn answered(&mut self, conn: u32) {
        if let Some(unanswered) = self.unanswered.get_mut(&conn) {
            unanswered.others = unanswered.others.saturating_sub(1);
        }
    }

    pub(super) fn settled(&self, conn: u32) -> bool {
        self.unanswered.get(&conn).is_none_or(|unanswered| unanswered.resumes.is_empty() && unanswered.others == 0)
    }

    pub(super) fn forget(&mut self, conn: u32) {
        self.unanswered.remove(&conn);
    }
}

#[cfg(test)]
mod tests;

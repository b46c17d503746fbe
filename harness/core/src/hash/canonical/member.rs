//! The first pass over the members of an object: their names, whether they come in order, and whether one comes twice.

use super::Scratch;
use super::error::{CanonicalErrorKind as Kind, Fault};
use super::order::{Member, Reordered, Span, compare_names};
use super::scan::{Frame, Scanner};
use super::string;

impl Scanner<'_> {
    /// Reads a member's name and colon.
    pub fn member_name(&mut self) -> Result<(), Fault> {
        self.within = false;
        if self.input.get(self.pos) != Some(&b'"') {
            return Err(Fault::unexpected(self.input, self.pos, "a member name"));
        }
        let at = self.pos;
        let start = self.here();
        let escaped = self.string()?;
        let name = if escaped {
            self.flush();
            let from = self.scratch.names.len();
            string::unescape_canonical(&self.text[start + 1..self.text.len() - 1], &mut self.scratch.names);
            Span {
                start: from,
                end: self.scratch.names.len(),
            }
        } else {
            Span {
                start: at + 1,
                end: self.pos - 1,
            }
        };
        let member = Member {
            at,
            name,
            escaped,
            text: Span { start, end: start },
        };
        self.push_member(member)?;
        self.skip_space();
        if self.input.get(self.pos) != Some(&b':') {
            return Err(Fault::unexpected(self.input, self.pos, "':'"));
        }
        self.pos += 1;
        self.within = true;
        Ok(())
    }

    /// Adds a member to the innermost object, and tells whether it is still in order.
    fn push_member(&mut self, member: Member) -> Result<(), Fault> {
        let Scratch {
            frames, members, names, ..
        } = &mut *self.scratch;
        if let Some(Frame::Object { first, in_order, .. }) = frames.last_mut()
            && *in_order
            && let Some(last) = members[*first..].last()
        {
            match compare_names(last.name(self.input, names), member.name(self.input, names)) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Greater => *in_order = false,
                std::cmp::Ordering::Equal => return Err(self.duplicate(member)),
            }
        }
        members.push(member);
        Ok(())
    }

    /// Notes where the innermost object's last member ends.
    pub fn end_member(&mut self) {
        let end = self.here();
        if let Some(member) = self.scratch.members.last_mut() {
            member.text.end = end;
        }
    }

    /// Sorts the members of the object that closes here, and notes their order.
    pub fn reorder(&mut self, start: usize, first: usize) -> Result<(), Fault> {
        let end = self.here();
        let input = self.input;
        let Scratch {
            members,
            names,
            reordered,
            pieces,
            ..
        } = &mut *self.scratch;
        let members = &mut members[first..];
        members.sort_unstable_by(|a, b| {
            // Of equal names the later comes later, so that the error names it.
            compare_names(a.name(input, names), b.name(input, names)).then(a.at.cmp(&b.at))
        });
        let same = |pair: &&[Member]| pair[0].name(input, names) == pair[1].name(input, names);
        if let Some(second) = members
            .windows(2)
            .filter(same)
            .map(|pair| pair[1])
            .min_by_key(|member| member.at)
        {
            self.within = false;
            return Err(self.duplicate(second));
        }
        let from = pieces.len();
        pieces.extend(members.iter().map(|member| member.text));
        reordered.push(Reordered {
            text: Span { start, end },
            pieces: Span {
                start: from,
                end: pieces.len(),
            },
        });
        Ok(())
    }

    #[cold]
    fn duplicate(&self, member: Member) -> Fault {
        let key = String::from_utf8_lossy(member.name(self.input, &self.scratch.names)).into_owned();
        Fault::new(Kind::DuplicateKey { key }, member.at)
    }
}

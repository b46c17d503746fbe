//! The first pass over the members of an object: their names, whether they come in order, and whether one comes twice.

use std::cmp::Ordering;

use super::Scratch;
use super::error::{CanonicalErrorKind as Kind, Fault};
use super::order::{Member, Reordered, Span};
use super::scan::{Frame, Scanner};
use super::string;

impl Scanner<'_> {
    pub fn member_name(&mut self) -> Result<(), Fault> {
        self.within = false;
        if self.input.get(self.pos) != Some(&b'"') {
            return Err(Fault::unexpected(self.input, self.pos, "a member name"));
        }
        let at = self.pos;
        let start = self.here();
        let escaped = self.string()?;
        let reordered = self.scratch.reordered.len();
        let member = if escaped {
            self.flush();
            let names = &mut self.scratch.names;
            let from = names.len();
            string::unescape_canonical(&self.text[start + 1..self.text.len() - 1], names);
            Member::new(at, start, Span::new(from, names.len()), true, names, reordered)
        } else {
            Member::new(at, start, Span::new(at + 1, self.pos - 1), false, self.input, reordered)
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

    /// Adds a member to the innermost object, and notes whether it is still in order.
    fn push_member(&mut self, member: Member) -> Result<(), Fault> {
        let Scratch { frames, members, names, .. } = &mut *self.scratch;
        if let Some(Frame::Object { first, in_order, .. }) = frames.last_mut()
            && *in_order
            && let Some(last) = members[*first..].last()
        {
            match last.compare(&member, self.input, names) {
                Ordering::Less => {}
                Ordering::Greater => *in_order = false,
                Ordering::Equal => return Err(self.duplicate(member)),
            }
        }
        members.push(member);
        Ok(())
    }

    /// Notes where the innermost object's last member ends.
    pub fn end_member(&mut self) {
        let end = self.here();
        let reordered = self.scratch.reordered.len();
        if let Some(member) = self.scratch.members.last_mut() {
            member.end(end, reordered);
        }
    }

    /// Sorts the members of the object that closes here, and notes their order.
    pub fn reorder(&mut self, start: usize, first: usize) -> Result<(), Fault> {
        let end = self.here();
        let input = self.input;
        let Scratch { members, names, reordered, pieces, .. } = &mut *self.scratch;
        let members = &mut members[first..];
        // Of equal names the later comes later, so that the error names it.
        members.sort_unstable_by(|a, b| a.compare(b, input, names).then(a.at().cmp(&b.at())));
        let same = |pair: &&[Member]| pair[0].compare(&pair[1], input, names).is_eq();
        let seconds = members.windows(2).filter(same).map(|pair| pair[1]);
        if let Some(second) = seconds.min_by_key(Member::at) {
            self.within = false;
            return Err(self.duplicate(second));
        }
        let from = pieces.len();
        pieces.extend(members.iter().map(Member::piece));
        let pieces = Span::new(from, pieces.len());
        reordered.push(Reordered { text: Span::new(start, end), pieces });
        Ok(())
    }

    #[cold]
    fn duplicate(&self, member: Member) -> Fault {
        let key = String::from_utf8_lossy(member.name(self.input, &self.scratch.names)).into_owned();
        Fault::new(Kind::DuplicateKey { key }, member.at())
    }
}

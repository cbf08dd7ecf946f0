//! E-mail addresses, found by any part. They are kept in two halves: hosts are few, and whatever nearly all addresses
//! have in common is in them.

use fixedbitset::FixedBitSet;

use super::grams::{GRAM, Lists, ListsBuilder, keys_of};
use super::postings::Postings;
use super::values::{END, Values};

/// The host of an address that has none.
const NONE: u32 = u32::MAX;

/// So many bytes are compared at once, before the others.
const FEW: usize = GRAM + 1;

/// The addresses of documents, in the order of the documents.
#[derive(Debug, Default)]
pub(super) struct Emails {
    /// What is before the first @.
    users: Values,
    with_gram: Lists,
    hosts: Values,
    host_of: Vec<u32>,
    /// The documents with an address at each host.
    with_host: Postings,
    doc_of: Vec<u32>,
}

impl Emails {
    /// Adds the documents that have an address with `part` somewhere in it.
    pub(super) fn add_containing(&self, part: &str, set: &mut FixedBitSet) {
        let mut in_host = self.hosts.set_containing(part);
        match part.split_once('@') {
            None => self.add_with_user(part, set),
            Some((user_end, host_begin)) => {
                let mut hosts = FixedBitSet::with_capacity(self.hosts.len());
                for host in 0..self.hosts.len() {
                    hosts.set(host, self.hosts.bytes(host).starts_with(host_begin.as_bytes()));
                }
                if user_end.is_empty() {
                    in_host.union_with(&hosts);
                } else if !hosts.is_clear() {
                    let mut ending = user_end.as_bytes().to_vec();
                    ending.push(END);
                    self.with_gram.with_part(&ending, |address| {
                        let address = address as usize;
                        if hosts.contains(self.host_of[address] as usize)
                            && self.users.bytes(address).ends_with(user_end.as_bytes())
                        {
                            set.insert(self.doc_of[address] as usize);
                        }
                    });
                }
            }
        }
        in_host
            .ones()
            .for_each(|host| self.with_host.add(host..host + 1, set));
    }

    fn add_with_user(&self, part: &str, set: &mut FixedBitSet) {
        let mut add = |address: usize| set.insert(self.doc_of[address] as usize);
        if part.is_empty() {
            (0..self.users.len()).for_each(add);
        } else if part.len() <= GRAM {
            self.with_gram
                .with_part(part.as_bytes(), |address| add(address as usize));
        } else {
            let part = part.as_bytes();
            // Of texts this short, all places are looked at sooner than a search by words is set up.
            let begin = part.first_chunk::<FEW>();
            let has = |user: &[u8]| {
                let mut places = user.windows(part.len());
                places.any(|place| place.first_chunk() == begin && place == part)
            };
            self.with_gram.with_part(part, |address| {
                if has(self.users.bytes(address as usize)) {
                    add(address as usize);
                }
            });
        }
    }

    /// The addresses of each document. Documents must be asked for in ascending order.
    pub(super) fn by_document(&self) -> impl FnMut(usize) -> Vec<String> + '_ {
        let mut next = 0;
        move |doc| {
            let mut addresses = Vec::new();
            while self.doc_of.get(next).is_some_and(|of| (*of as usize) <= doc) {
                if self.doc_of[next] as usize == doc {
                    addresses.push(self.address(next));
                }
                next += 1;
            }
            addresses
        }
    }

    fn address(&self, number: usize) -> String {
        let user = self.users.text(number);
        match self.host_of[number] {
            NONE => user.to_owned(),
            host => format!("{user}@{}", self.hosts.text(host as usize)),
        }
    }
}

/// Makes [`Emails`], document by document.
#[derive(Default)]
pub(super) struct EmailsBuilder {
    known: std::collections::HashMap<Box<str>, u32>,
    with_gram: ListsBuilder,
    emails: Emails,
}

impl EmailsBuilder {
    pub(super) fn push(&mut self, doc: u32, address: &str) {
        let (user, host) = match address.split_once('@') {
            None => (address, NONE),
            Some((user, host)) => (user, self.host(host)),
        };
        let number = self.emails.users.len() as u32;
        keys_of(user.as_bytes()).for_each(|key| self.with_gram.push(key, number));
        self.emails.users.push(user);
        self.emails.host_of.push(host);
        self.emails.doc_of.push(doc);
    }

    fn host(&mut self, host: &str) -> u32 {
        if let Some(number) = self.known.get(host) {
            return *number;
        }
        let number = self.known.len() as u32;
        self.known.insert(host.into(), number);
        self.emails.hosts.push(host);
        number
    }

    pub(super) fn finish(self) -> Emails {
        let emails = self.emails;
        let addresses = emails.host_of.iter().zip(&emails.doc_of);
        let mut pairs: Vec<(u32, u32)> = addresses.map(|(host, doc)| (*host, *doc)).collect();
        pairs.retain(|(host, _)| *host != NONE);
        pairs.sort_unstable();
        Emails {
            with_gram: self.with_gram.finish(),
            with_host: Postings::new(emails.hosts.len(), &pairs),
            ..emails
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_by_any_part() {
        let all = [
            "ann@acme.example",
            "bob.ann@mail.example",
            "x@y@z",
            "nowhere",
            "ann@acme.example",
            "@h",
            "u@",
        ];
        let mut builder = EmailsBuilder::default();
        for (doc, address) in all.iter().enumerate() {
            builder.push(doc as u32, address);
        }
        let emails = builder.finish();
        let parts = [
            "ann",
            "@",
            "example",
            "n@a",
            "ann@acme.example",
            "@acme",
            "y@",
            "@y@",
            "x@y",
            "@z",
            "h",
            "where",
            "ann@x",
            "bob.ann",
            "b.ann@m",
            "bann",
            "ann\0",
            "b.ann@",
            "",
            "e@",
            "u@",
            "@y@z",
            "@@",
        ];
        for part in parts {
            let mut set = FixedBitSet::with_capacity(all.len());
            emails.add_containing(part, &mut set);
            let wanted: Vec<usize> = (0..all.len()).filter(|doc| all[*doc].contains(part)).collect();
            assert_eq!(set.ones().collect::<Vec<_>>(), wanted, "{part:?}");
        }
        let mut of = emails.by_document();
        assert_eq!(of(2), ["x@y@z"]);
        assert_eq!(of(3), ["nowhere"]);
    }
}

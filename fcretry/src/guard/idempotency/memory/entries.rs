//! What a [`MemoryStore`](super::MemoryStore) knows, and how it changes. No locks and no clock of its own.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::{
    super::{
        flight::Flight,
        store::{Claim, Ending, Settled, Stored, Token},
        sync::Arc,
        {Fingerprint, IdempotencyKey},
    },
    OnceStats,
};

#[derive(Debug)]
pub(super) struct Entries {
    all: BTreeMap<IdempotencyKey, Entry>,
    /// Every entry that is not running, in the order in which they go when there are too many.
    ended: BTreeMap<Age, IdempotencyKey>,
    /// Of the ended ones, those below this number hold no result any more.
    emptied: u64,
    /// The next number of an ended entry.
    next: u64,
    /// The next token.
    token: u128,
    /// What the results take.
    bytes: usize,
    most: usize,
    most_bytes: usize,
    counts: Counts,
}

/// Unknown keys go last: forgetting one can run an action a second time that nobody knows to have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Age {
    unknown: bool,
    number: u64,
}

#[derive(Debug)]
struct Entry {
    fingerprint: Option<Fingerprint>,
    token: Token,
    state: State,
}

#[derive(Debug)]
enum State {
    Running {
        /// `None` is never, as in all that follows: a time that no clock can reach.
        lease_until: Option<Instant>,
        ttl: Duration,
        /// There once somebody waits.
        flight: Option<Arc<Flight>>,
    },
    Ended {
        expires: Option<Instant>,
        age: Age,
        /// `None` if it is unknown, or was dropped for want of room.
        stored: Option<Stored>,
    },
}

#[derive(Debug, Default)]
struct Counts {
    started: u64,
    answered: u64,
    waited: u64,
    unknown: u64,
    reused: u64,
    evicted: u64,
}

/// What a claim comes to.
#[derive(Debug)]
pub(super) enum Found {
    Vacant(Token),
    Running { flight: Arc<Flight>, token: Token, lease_until: Option<Instant> },
    Done(Stored),
    Unknown,
    Reused,
}

/// A flight that is over, and what those who wait for it are told once the lock is free.
pub(super) type Over = Option<(Arc<Flight>, Settled)>;

impl Entries {
    pub(super) const fn new(most: usize, most_bytes: usize) -> Self {
        Self {
            all: BTreeMap::new(),
            ended: BTreeMap::new(),
            emptied: 0,
            next: 0,
            token: 0,
            bytes: 0,
            most,
            most_bytes,
            counts: Counts {
                started: 0,
                answered: 0,
                waited: 0,
                unknown: 0,
                reused: 0,
                evicted: 0,
            },
        }
    }

    pub(super) fn limit(&mut self, most: usize, most_bytes: usize) {
        self.most = most;
        self.most_bytes = most_bytes;
        self.make_room();
    }

    pub(super) fn claim(&mut self, claim: &Claim, now: Instant) -> Found {
        self.sweep(now);
        let Some(entry) = self.all.get_mut(&claim.key) else {
            return Found::Vacant(self.start(claim, now));
        };
        if let (Some(known), Some(given)) = (entry.fingerprint, claim.fingerprint)
            && known != given
        {
            self.counts.reused += 1;
            return Found::Reused;
        }
        match &mut entry.state {
            State::Running { lease_until, flight, .. } => {
                self.counts.waited += 1;
                let flight = Arc::clone(flight.get_or_insert_default());
                Found::Running { flight, token: entry.token, lease_until: *lease_until }
            }
            State::Ended { stored: Some(stored), .. } => {
                self.counts.answered += 1;
                Found::Done(stored.clone())
            }
            State::Ended { stored: None, .. } if claim.again => {
                let fingerprint = claim.fingerprint.or(entry.fingerprint);
                self.remove(claim.key);
                Found::Vacant(self.start(&Claim { fingerprint, ..*claim }, now))
            }
            State::Ended { stored: None, .. } => {
                self.counts.unknown += 1;
                Found::Unknown
            }
        }
    }

    pub(super) fn renew(&mut self, claim: &Claim, token: Token, now: Instant) -> bool {
        match self.all.get_mut(&claim.key) {
            Some(Entry { token: owner, state: State::Running { lease_until, .. }, .. })
                if *owner == token =>
            {
                *lease_until = now.checked_add(claim.lease);
                true
            }
            _ => false,
        }
    }

    pub(super) fn finish(
        &mut self,
        claim: &Claim,
        token: Token,
        ending: Ending,
        now: Instant,
    ) -> Over {
        let entry = self.all.get(&claim.key).filter(|entry| entry.token == token)?;
        // A result is as late as it may be, but it is told once.
        if matches!(entry.state, State::Ended { stored: Some(_), .. }) {
            return None;
        }
        let settled = match ending {
            Ending::Keep(stored) => {
                let settled = Settled::Done(stored.clone());
                return Some((
                    self.end(claim.key, Some(stored), now.checked_add(claim.ttl))?,
                    settled,
                ));
            }
            Ending::Free(error) => Settled::Freed(error),
        };
        Some((self.remove(claim.key)?, settled))
    }

    pub(super) fn abandon(&mut self, claim: &Claim, token: Token, now: Instant) -> Over {
        let entry = self.all.get(&claim.key).filter(|entry| entry.token == token)?;
        if matches!(entry.state, State::Ended { .. }) {
            return None;
        }
        Some((self.end(claim.key, None, now.checked_add(claim.ttl))?, Settled::Unknown))
    }

    /// Makes the key unknown if it is running and its lease is over.
    pub(super) fn lapse(&mut self, key: IdempotencyKey, now: Instant) -> Over {
        let State::Running { lease_until: Some(until), ttl, .. } = self.all.get(&key)?.state else {
            return None;
        };
        if until > now {
            return None;
        }
        Some((self.end(key, None, until.checked_add(ttl))?, Settled::Unknown))
    }

    /// Removes the key if its time to live has passed.
    pub(super) fn expire(&mut self, key: IdempotencyKey, now: Instant) -> bool {
        let expired = self.all.get(&key).is_some_and(|entry| {
            matches!(entry.state, State::Ended { expires: Some(expires), .. } if expires <= now)
        });
        if expired {
            self.remove(key);
        }
        expired
    }

    /// The end of the lease of the key's owner, if it still is this one.
    pub(super) fn lease_of(&self, key: IdempotencyKey, token: Token) -> Option<Instant> {
        match self.all.get(&key)? {
            Entry { token: owner, state: State::Running { lease_until, .. }, .. }
                if *owner == token =>
            {
                *lease_until
            }
            _ => None,
        }
    }

    pub(super) fn forget(&mut self, key: IdempotencyKey) -> bool {
        let ended =
            self.all.get(&key).is_some_and(|entry| matches!(entry.state, State::Ended { .. }));
        if ended {
            self.remove(key);
        }
        ended
    }

    pub(super) fn stats(&self) -> OnceStats {
        let unknown = self.ended.range(Age { unknown: true, number: 0 }..).count();
        OnceStats {
            running: self.all.len() - self.ended.len(),
            done: self.ended.len() - unknown,
            unknown,
            bytes: self.bytes,
            max_entries: self.most,
            max_bytes: self.most_bytes,
            started: self.counts.started,
            answered_done: self.counts.answered,
            answered_unknown: self.counts.unknown,
            waited: self.counts.waited,
            reused: self.counts.reused,
            evicted: self.counts.evicted,
        }
    }

    fn start(&mut self, claim: &Claim, now: Instant) -> Token {
        self.token += 1;
        self.counts.started += 1;
        let token = Token::from_bits(self.token);
        let lease_until = now.checked_add(claim.lease);
        let state = State::Running { lease_until, ttl: claim.ttl, flight: None };
        self.all.insert(claim.key, Entry { fingerprint: claim.fingerprint, token, state });
        self.make_room();
        token
    }

    /// Puts an entry among the ended ones, wherever it was, and gives the flight of one that was running.
    fn end(
        &mut self,
        key: IdempotencyKey,
        stored: Option<Stored>,
        expires: Option<Instant>,
    ) -> Option<Arc<Flight>> {
        let age = Age { unknown: stored.is_none(), number: self.next };
        // One result that takes all the room is not worth every other one.
        let stored = stored.filter(|stored| stored.size() <= self.most_bytes);
        let size = stored.as_ref().map_or(0, Stored::size);
        let entry = self.all.get_mut(&key)?;
        let before = std::mem::replace(&mut entry.state, State::Ended { expires, age, stored });
        self.next += 1;
        self.bytes += size;
        self.ended.insert(age, key);
        let flight = self.leave(before);
        self.make_room();
        flight
    }

    fn remove(&mut self, key: IdempotencyKey) -> Option<Arc<Flight>> {
        let entry = self.all.remove(&key)?;
        self.leave(entry.state)
    }

    /// Takes what belonged to a state out of the figures.
    fn leave(&mut self, state: State) -> Option<Arc<Flight>> {
        match state {
            State::Running { flight, .. } => flight,
            State::Ended { age, stored, .. } => {
                self.ended.remove(&age);
                self.bytes -= stored.as_ref().map_or(0, Stored::size);
                None
            }
        }
    }

    fn make_room(&mut self) {
        // A key without its result still keeps its action from being run again, so the results go before the keys.
        while self.bytes > self.most_bytes {
            let oldest = Age { unknown: false, number: self.emptied }..;
            let Some((age, &key)) = self.ended.range(oldest).next() else { break };
            self.emptied = age.number + 1;
            if let Some(Entry { state: State::Ended { stored, .. }, .. }) = self.all.get_mut(&key)
                && let Some(stored) = stored.take()
            {
                self.bytes -= stored.size();
            }
        }
        while self.all.len() > self.most {
            let Some((_, key)) = self.ended.pop_first() else { break };
            self.remove(key);
            self.counts.evicted += 1;
        }
    }

    /// Removes what has expired and would go next. Two for each that comes, so that old ones never pile up.
    fn sweep(&mut self, now: Instant) {
        for unknown in [false, true] {
            for _ in 0..2 {
                let oldest = self.ended.range(Age { unknown, number: 0 }..).next();
                let Some((_, &key)) = oldest.filter(|(age, _)| age.unknown == unknown) else {
                    break;
                };
                if !self.expire(key, now) {
                    break;
                }
            }
        }
    }
}

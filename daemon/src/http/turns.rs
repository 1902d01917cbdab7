//! Turns at something that only one can do at a time, in a row for each place that clients come from: whoever sends many
//! keeps others from the same place waiting, and everybody else for one turn.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;

use tokio::sync::oneshot;

use super::sockets::Client;

/// How many from one place may wait.
const ROW: usize = 64;

/// How many may wait in all.
const ALL: usize = 1024;

/// A place that clients come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// An address of IPv4, or the network of one of IPv6: who has one such address has them all.
    Network(IpAddr),
    /// A user of this machine, if the system tells which.
    User(Option<u32>),
}

impl Origin {
    pub(super) fn of(client: &Client) -> Self {
        match client {
            Client::Tcp(address) => Self::Network(network(address.ip().to_canonical())),
            Client::Unix(peer) => Self::User(peer.map(|peer| peer.uid())),
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    const NETWORK: u128 = !0 << 64;
    match address {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & NETWORK).into()),
        address => address,
    }
}

/// Hands out turns; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Rc<RefCell<Rows>>);

#[derive(Debug, Default)]
struct Rows {
    is_taken: bool,
    /// None is empty. The first is served next, and goes to the end then.
    rows: VecDeque<(Origin, VecDeque<oneshot::Sender<Turn>>)>,
}

/// A turn; the next one's comes when it is dropped.
#[derive(Debug)]
pub(super) struct Turn(Turns);

impl Turns {
    /// Waits for a turn; `None` if too many wait already.
    pub(super) async fn take(&self, origin: Origin) -> Option<Turn> {
        let waiting = {
            let mut rows = self.0.borrow_mut();
            if !rows.is_taken {
                rows.is_taken = true;
                return Some(Turn(self.clone()));
            }
            rows.enter(origin)?
        };
        waiting.await.ok()
    }
}

impl Rows {
    fn enter(&mut self, origin: Origin) -> Option<oneshot::Receiver<Turn>> {
        self.leave();
        if self.rows.iter().map(|(_, row)| row.len()).sum::<usize>() >= ALL {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        match self.rows.iter_mut().find(|(known, _)| *known == origin) {
            Some((_, row)) if row.len() >= ROW => return None,
            Some((_, row)) => row.push_back(sender),
            None => self.rows.push_back((origin, [sender].into())),
        }
        Some(receiver)
    }

    /// Forgets those who wait no more.
    fn leave(&mut self) {
        self.rows.retain_mut(|(_, row)| {
            row.retain(|waiting| !waiting.is_closed());
            !row.is_empty()
        });
    }

    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        self.leave();
        let (origin, mut row) = self.rows.pop_front()?;
        let next = row.pop_front();
        if !row.is_empty() {
            self.rows.push_back((origin, row));
        }
        next
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut rows = self.0.0.borrow_mut();
            let next = rows.next();
            rows.is_taken = next.is_some();
            next
        };
        if let Some(next) = next {
            // Who has just gone gives the turn back by dropping it.
            let _ = next.send(Self(self.0.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    fn run<T>(test: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let local = tokio::task::LocalSet::new();
        runtime.unwrap().block_on(local.run_until(test))
    }

    async fn settle() {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn places_take_turns_however_many_come_from_one() {
        run(async {
            let turns = Turns::default();
            let order = Rc::new(RefCell::new(String::new()));
            let first = turns.take(Origin::User(None)).await.unwrap();
            for (place, name) in [(1, 'a'), (1, 'b'), (1, 'c'), (2, 'x'), (3, 'y'), (2, 'z')] {
                let (turns, order) = (turns.clone(), Rc::clone(&order));
                tokio::task::spawn_local(async move {
                    let _turn = turns.take(Origin::User(Some(place))).await.unwrap();
                    order.borrow_mut().push(name);
                });
            }
            settle().await;
            assert_eq!(*order.borrow(), "");
            drop(first);
            settle().await;
            assert_eq!(*order.borrow(), "axybzc");
            assert!(!turns.0.borrow().is_taken);
        });
    }

    #[test]
    fn who_gives_up_keeps_nobody_waiting() {
        run(async {
            let turns = Turns::default();
            let origin = Origin::User(Some(1));
            let first = turns.take(origin).await.unwrap();
            let impatient = tokio::task::spawn_local({
                let turns = turns.clone();
                async move { turns.take(origin).await.is_some() }
            });
            let patient = tokio::task::spawn_local({
                let turns = turns.clone();
                async move { turns.take(origin).await.is_some() }
            });
            settle().await;
            impatient.abort();
            settle().await;
            drop(first);
            assert!(patient.await.unwrap());
            assert!(!turns.0.borrow().is_taken);
        });
    }

    #[test]
    fn there_is_an_end_to_each_row() {
        let mut rows = Rows::default();
        let here = Origin::User(Some(1));
        let waiting: Vec<_> = (0..ROW).map(|_| rows.enter(here).unwrap()).collect();
        assert!(rows.enter(here).is_none());
        assert!(rows.enter(Origin::User(Some(2))).is_some());
        drop(waiting);
        assert!(rows.enter(here).is_some());
        let place = |number: usize| Origin::User(u32::try_from(number).ok());
        let all: Vec<_> = (0..ALL)
            .filter_map(|it| rows.enter(place(it + 9)))
            .collect();
        assert_eq!(all.len(), ALL);
        assert!(rows.enter(place(5)).is_none());
    }

    #[test]
    fn networks_are_what_one_client_has() {
        let v6 = |text: &str| IpAddr::V6(text.parse::<Ipv6Addr>().unwrap());
        let rows = [
            (v6("2001:db8::1"), v6("2001:db8::")),
            (v6("2001:db8::1:2:3:4"), v6("2001:db8::")),
            (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 1])),
        ];
        for (address, expected) in rows {
            assert_eq!(network(address), expected);
        }
    }
}

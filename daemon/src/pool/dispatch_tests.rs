//! Rows for the queue, and a property: in order, one at a time, nothing lost.

use super::super::queue::OVERHEAD;
use super::*;
use proptest::prelude::*;
use protocol::events::EventType;

fn event(serial: u64) -> Arc<Envelope> {
    Arc::new(Envelope {
        serial,
        event_type: EventType::Tick5,
        payload: "when:5".to_owned(),
        raised: 0,
    })
}

fn sends(effects: &[Effect]) -> Vec<(usize, u64)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send { member, event } => Some((*member, event.envelope.serial)),
            _ => None,
        })
        .collect()
}

fn rebuffered(serial: u64, waiting: usize) -> Effect {
    Effect::Rebuffered { serial, waiting }
}

fn up(pool: &mut Dispatch, member: usize) -> Vec<Effect> {
    let mut effects = pool.running(member, true);
    effects.extend(pool.ready(member));
    effects
}

#[test]
fn events_wait_for_a_running_and_ready_member() {
    let mut pool = Dispatch::new(1, Limit::Events(10));
    assert_eq!(sends(&pool.accept(event(0))), []);
    assert_eq!(sends(&pool.ready(0)), []);
    assert_eq!(sends(&pool.running(0, true)), [(0, 0)]);
    assert_eq!(sends(&pool.accept(event(1))), []);
    assert!(pool.accepted(0).is_some());
    assert_eq!(sends(&pool.ready(0)), [(0, 1)]);
}

#[test]
fn the_first_free_member_is_preferred() {
    let mut pool = Dispatch::new(3, Limit::Events(10));
    up(&mut pool, 2);
    up(&mut pool, 1);
    assert_eq!(sends(&pool.accept(event(0))), [(1, 0)]);
    assert_eq!(sends(&pool.accept(event(1))), [(2, 1)]);
    assert_eq!(sends(&pool.accept(event(2))), []);
    assert_eq!(sends(&up(&mut pool, 0)), [(0, 2)]);
}

#[test]
fn a_full_buffer_discards_the_oldest() {
    let mut pool = Dispatch::new(1, Limit::Events(2));
    pool.accept(event(0));
    pool.accept(event(1));
    assert_eq!(pool.accept(event(2)), [Effect::Discarded(0)]);
    assert_eq!(pool.tally().discarded, 1);
    assert_eq!(pool.waiting(), 2);
}

#[test]
fn a_rejected_event_evicts_the_head_of_a_full_buffer_and_takes_its_place() {
    let mut pool = Dispatch::new(1, Limit::Events(2));
    up(&mut pool, 0);
    for serial in 0..3 {
        pool.accept(event(serial));
    }
    let effects = pool.rejected(0);
    assert_eq!(effects, [rebuffered(0, 2), Effect::Discarded(1)]);
    assert_eq!(sends(&pool.ready(0)), [(0, 0)]);
}

#[test]
fn a_redelivered_event_keeps_its_numbers() {
    let mut pool = Dispatch::new(1, Limit::Events(10));
    up(&mut pool, 0);
    pool.accept(event(7));
    pool.accept(event(8));
    pool.rejected(0);
    let effects = pool.ready(0);
    let [Effect::Send { event, .. }, _] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!((event.envelope.serial, event.poolserial), (7, 0));
}

/// The member says READY, gets this event and rejects it.
fn reject(pool: &mut Dispatch, member: usize, serial: u64) -> Vec<Effect> {
    let mut sent = sends(&pool.ready(member));
    if sent.is_empty() {
        sent.extend(pool.in_flight(member).map(|serial| (member, serial)));
    }
    assert_eq!(sent, [(member, serial)]);
    pool.rejected(member)
}

/// The member accepts what it has.
fn accept(pool: &mut Dispatch, member: usize) -> Vec<Effect> {
    pool.accepted(member).expect("it has an event").1
}

/// The member says READY, gets this event and accepts it.
fn take(pool: &mut Dispatch, member: usize, serial: u64) {
    assert_eq!(sends(&pool.ready(member)), [(member, serial)]);
    assert!(pool.accepted(member).is_some());
}

fn rests(effects: &[Effect]) -> Vec<(Rest, u128)> {
    let rest = |effect: &Effect| match effect {
        Effect::Rest(rest, time) => Some((*rest, time.as_millis())),
        _ => None,
    };
    effects.iter().filter_map(rest).collect()
}

#[test]
fn an_event_that_is_always_rejected_rests_and_others_pass() {
    let mut pool = Dispatch::new(1, Limit::Events(10));
    pool.running(0, true);
    for serial in 0..4 {
        pool.accept(event(serial));
    }
    for _ in 0..3 {
        assert_eq!(rests(&reject(&mut pool, 0, 0)), []);
    }
    let effects = reject(&mut pool, 0, 0);
    let [(rest, 100)] = rests(&effects)[..] else {
        panic!("{effects:?}");
    };
    take(&mut pool, 0, 1);
    pool.rested(rest);
    let effects = reject(&mut pool, 0, 0);
    let [(rest, 200)] = rests(&effects)[..] else {
        panic!("{effects:?}");
    };
    pool.rested(rest);
    // Its rest is over, but it has had its turn.
    take(&mut pool, 0, 2);
    reject(&mut pool, 0, 0);
    take(&mut pool, 0, 3);
    assert_eq!((pool.waiting(), pool.resting()), (1, 1));
    let tally = Tally {
        delivered: 3,
        rejected: 6,
        discarded: 0,
    };
    assert_eq!(pool.tally(), tally);
}

#[test]
fn an_event_that_kills_its_listeners_rests_too() {
    let mut pool = Dispatch::new(1, Limit::Events(10));
    for serial in 0..2 {
        pool.accept(event(serial));
    }
    for _ in 0..4 {
        assert_eq!(sends(&up(&mut pool, 0)), [(0, 0)]);
        pool.renewed(0);
        pool.running(0, false);
        pool.returned(0);
    }
    assert_eq!(sends(&up(&mut pool, 0)), [(0, 1)]);
}

#[test]
fn a_listener_that_rejects_one_after_another_rests() {
    let mut pool = Dispatch::new(2, Limit::Events(10));
    for serial in 0..3 {
        pool.accept(event(serial));
    }
    pool.running(0, true);
    for _ in 0..4 {
        reject(&mut pool, 0, 0);
    }
    let [(member, 100)] = rests(&reject(&mut pool, 0, 1))[..] else {
        panic!("a rest");
    };
    assert_eq!(sends(&pool.ready(0)), []);
    // Nobody else is kept from working.
    assert_eq!(sends(&up(&mut pool, 1)), [(1, 1)]);
    assert_eq!(sends(&pool.rested(member)), [(0, 2)]);
}

#[test]
fn an_acceptance_after_rejections_brings_back_what_rests() {
    let mut pool = Dispatch::new(1, Limit::Events(10));
    for serial in 0..3 {
        pool.accept(event(serial));
    }
    pool.running(0, true);
    for _ in 0..4 {
        reject(&mut pool, 0, 0);
    }
    for (rest, _) in rests(&reject(&mut pool, 0, 1)) {
        pool.rested(rest);
    }
    take(&mut pool, 0, 1);
    assert_eq!(pool.resting(), 0);
    take(&mut pool, 0, 0);
    take(&mut pool, 0, 2);
}

#[test]
fn what_an_acceptance_brings_back_goes_to_whoever_is_free() {
    let mut pool = Dispatch::new(2, Limit::Events(10));
    for serial in 0..2 {
        pool.accept(event(serial));
    }
    pool.running(0, true);
    for _ in 0..4 {
        reject(&mut pool, 0, 0);
    }
    assert_eq!(rests(&reject(&mut pool, 0, 1)).len(), 1);
    assert_eq!(sends(&up(&mut pool, 1)), [(1, 1)]);
    pool.rested(Rest(1));
    assert_eq!(sends(&pool.ready(0)), []);
    assert_eq!(sends(&accept(&mut pool, 1)), [(0, 0)]);
}

#[test]
fn no_more_of_what_rests_is_discarded_than_must_be() {
    let mut pool = Dispatch::new(3, Limit::Events(2));
    for member in 0..3 {
        pool.running(member, true);
    }
    for serial in 0..2 {
        pool.accept(event(serial));
        for _ in 0..3 {
            reject(&mut pool, 0, serial);
        }
        assert_eq!(sends(&up(&mut pool, 1)), [(1, serial)]);
        pool.rejected(1);
        pool.renewed(0);
        pool.renewed(1);
    }
    assert_eq!(pool.resting(), 2);
    assert_eq!(pool.accept(event(2)), [Effect::Discarded(0)]);
    assert_eq!((pool.waiting(), pool.resting()), (2, 1));
}

#[test]
fn what_finds_nobody_free_is_said_to_be_rebuffered() {
    let mut pool = Dispatch::new(1, Limit::Events(10));
    for serial in 0..3 {
        assert_eq!(pool.accept(event(serial)), [], "nobody has been tried");
    }
    pool.running(0, true);
    assert_eq!(pool.ready(0).last(), Some(&rebuffered(1, 1)));
    accept(&mut pool, 0);
    assert_eq!(pool.ready(0).last(), Some(&rebuffered(2, 0)));
    assert_eq!(pool.unsendable(0), [rebuffered(1, 1)]);
}

#[test]
fn what_has_gone_from_the_disk_is_forgotten() {
    let mut pool = Dispatch::new(1, Limit::Bytes(usize::MAX));
    pool.number_from(7, 100);
    for serial in 0..4 {
        let mut event = pool.number(event(serial));
        assert_eq!(
            (event.poolserial, event.position),
            (7 + serial, 100 + serial)
        );
        event.stored = serial != 1;
        pool.enqueue(std::iter::once(event));
    }
    up(&mut pool, 0);
    assert_eq!(pool.forget(102), 1, "one is in flight, one was never there");
    let mut stored = Vec::new();
    let result: Result<(), ()> = pool.store(|event| {
        stored.push(event.position);
        Ok(())
    });
    assert_eq!((result, stored), (Ok(()), vec![101]));
    assert_eq!(pool.waiting(), 2);
}

#[test]
fn memory_bounds_a_pool_without_buffer_size() {
    let mut pool = Dispatch::new(1, Limit::Bytes(10 * (OVERHEAD + 6)));
    for serial in 0..10 {
        assert_eq!(pool.accept(event(serial)), []);
    }
    assert_eq!(pool.accept(event(10)), [Effect::Discarded(0)]);
}

#[test]
fn a_closed_pipe_passes_the_event_on() {
    let mut pool = Dispatch::new(2, Limit::Events(10));
    up(&mut pool, 0);
    up(&mut pool, 1);
    assert_eq!(sends(&pool.accept(event(0))), [(0, 0)]);
    assert_eq!(sends(&pool.unsendable(0)), [(1, 0)]);
}

proptest! {
    /// With room for all: every event is handled, whatever listeners reject, however often they die,
    /// and no member ever holds two. In order for a pool of one, as long as none is rejected four
    /// times.
    #[test]
    fn nothing_is_lost(members in 1usize..4, choices in prop::collection::vec((0u8..6, 0usize..4), 1..300)) {
        let mut pool = Dispatch::new(members, Limit::Bytes(DEFAULT_MEMORY));
        let mut held = vec![None; members];
        let mut handled = Vec::new();
        let mut raised = 0;
        let mut sleeping = Vec::new();
        let mut has_rested = false;
        for (choice, member) in choices {
            let member = member % members;
            let effects = match choice {
                0 => { raised += 1; pool.accept(event(raised - 1)) }
                1 => pool.running(member, true),
                2 if held[member].is_none() => pool.ready(member),
                3 if held[member].is_some() => {
                    handled.extend(held[member].take());
                    accept(&mut pool, member)
                }
                4 => { held[member] = None; pool.unready(member); pool.rejected(member) }
                5 if !sleeping.is_empty() => pool.rested(sleeping.remove(0)),
                _ => Vec::new(),
            };
            sleeping.extend(rests(&effects).into_iter().map(|(rest, _)| rest));
            has_rested |= pool.resting() > 0;
            for (member, serial) in sends(&effects) {
                prop_assert_eq!(held[member].replace(serial), None);
            }
        }
        let finish = finish(&mut pool, &mut held, sleeping, raised);
        handled.extend(finish);
        if members == 1 && !has_rested {
            prop_assert_eq!(&handled, &(0..raised).collect::<Vec<_>>());
        }
        handled.sort_unstable();
        prop_assert_eq!(handled, (0..raised).collect::<Vec<_>>());
    }
}

/// All members work properly from here on.
fn finish(
    pool: &mut Dispatch,
    held: &mut [Option<u64>],
    sleeping: Vec<Rest>,
    raised: u64,
) -> Vec<u64> {
    fn take(held: &mut [Option<u64>], effects: &[Effect]) {
        for (member, serial) in sends(effects) {
            assert_eq!(held[member].replace(serial), None);
        }
    }
    let mut handled = Vec::new();
    for rest in sleeping {
        take(held, &pool.rested(rest));
    }
    for _ in 0..=raised {
        for member in 0..held.len() {
            if let Some(serial) = held[member].take() {
                handled.push(serial);
                let effects = accept(pool, member);
                take(held, &effects);
            }
            take(held, &pool.running(member, true));
            if held[member].is_none() {
                take(held, &pool.ready(member));
            }
        }
    }
    handled
}

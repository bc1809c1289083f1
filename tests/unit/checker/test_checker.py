"""The checker names each broken promise, by a history that breaks it and nothing else."""

from __future__ import annotations

import math
from dataclasses import replace
from uuid import uuid4, uuid5

import pytest

from tests.harness.checker.evidence import CountRow, Evidence, ReadModels, Recovery, SeatRow
from tests.harness.checker.verdict import ensure_kept, violations
from tests.harness.events.ledger import created
from tests.unit.checker.scenario import Scenario, a_good_scenario, changed


def named(evidence: Evidence) -> set[str]:
    return {violation.invariant for violation in violations(evidence)}


def models_of(evidence: Evidence) -> ReadModels:
    assert evidence.read_models is not None
    return evidence.read_models


def test_a_good_history_has_nothing_broken() -> None:
    scenario, _ = a_good_scenario()
    ensure_kept(scenario.evidence())


def test_a_cancelled_group_frees_every_seat() -> None:
    scenario, group_id = a_good_scenario()
    scenario.cancel_group(group_id)
    scenario.read(group_id, shown=0)
    ensure_kept(scenario.evidence())


def test_an_unknown_outcome_may_be_in_the_log_or_not() -> None:
    scenario, _ = a_good_scenario()
    evidence = changed(scenario.evidence(), -1, lambda o: replace(o, outcome="unknown"))
    ensure_kept(evidence)
    scenario.note("book", uuid4(), uuid4(), outcome="unknown")
    ensure_kept(scenario.evidence())


def test_a_seat_beyond_the_capacity_is_oversold() -> None:
    scenario, group_id = a_good_scenario()
    scenario.book(group_id)
    assert named(scenario.evidence()) == {"oversold"}


def test_a_booking_that_is_there_twice_is_named() -> None:
    scenario = Scenario()
    group_id = scenario.create(max_seats=5)
    first = scenario.book(group_id)
    scenario.book(group_id, booking_id=first)
    assert "booked_twice" in named(scenario.evidence())


def test_a_seat_given_back_twice_is_named() -> None:
    scenario, group_id = a_good_scenario()
    last = scenario.operations[-1].booking_id
    assert last is not None
    scenario.cancel(group_id, last)
    scenario.cancel(group_id, last)
    assert {"freed_twice", "count_wrong"} == named(scenario.evidence())


def test_an_event_with_a_wrong_seat_count_is_named() -> None:
    scenario, group_id = a_good_scenario()
    scenario.capacities[group_id] = 9
    scenario.lie = 4
    scenario.book(group_id)
    assert named(scenario.evidence()) == {"count_wrong"}


def test_sold_out_while_a_seat_was_free_is_under_sold() -> None:
    scenario = Scenario()
    group_id = scenario.create(max_seats=2)
    scenario.book(group_id)
    scenario.refused(group_id)
    assert named(scenario.evidence()) == {"under_sold"}
    assert named(replace(scenario.evidence(), operations=scenario.operations[:-1])) == set()


def test_sold_out_is_right_while_the_last_seat_may_have_been_taken() -> None:
    scenario = Scenario()
    group_id = scenario.create(max_seats=1)
    taken = scenario.book(group_id)
    scenario.cancel(group_id, taken)
    scenario.note("book", group_id, uuid4(), outcome="refused", code="sold_out", invoked_at=2.4)
    ensure_kept(scenario.evidence())
    late = changed(scenario.evidence(), -1, lambda o: replace(o, invoked_at=2.6, ended_at=3.0))
    assert named(late) == {"under_sold"}


def test_more_seats_than_are_free_may_be_refused() -> None:
    scenario = Scenario()
    group_id = scenario.create(max_seats=3)
    scenario.book(group_id, seats=2)
    scenario.refused(group_id, seats=2)
    ensure_kept(scenario.evidence())


def test_an_acknowledged_booking_without_its_event_is_lost() -> None:
    scenario, group_id = a_good_scenario()
    scenario.note("book", group_id, uuid4())
    assert named(scenario.evidence()) == {"acknowledged_lost"}


def test_an_answer_about_another_booking_is_a_loss() -> None:
    scenario, _ = a_good_scenario()
    evidence = changed(scenario.evidence(), -1, lambda o: replace(o, booking_id=uuid4()))
    assert named(evidence) == {"acknowledged_lost"}


def test_a_booking_acknowledged_once_and_made_twice_is_named() -> None:
    scenario = Scenario()
    group_id = scenario.create(max_seats=5)
    scenario.book(group_id)
    command_id = scenario.operations[-1].command_id
    assert command_id is not None
    scenario.tell("book", group_id, uuid4(), created(group_id, 5).event)
    again = replace(scenario.log[-1], event_id=uuid5(command_id, "1"))
    evidence = replace(scenario.evidence(), log=[*scenario.log[:-1], again])
    assert "acknowledged_twice" in named(evidence)


def test_a_refusal_that_left_an_event_is_named() -> None:
    scenario, _ = a_good_scenario()
    evidence = changed(scenario.evidence(), -1, lambda o: replace(o, outcome="refused"))
    assert named(evidence) == {"refused_but_written"}


def test_half_of_a_command_is_named() -> None:
    scenario, group_id = a_good_scenario()
    scenario.note("book", group_id, uuid4(), outcome="unknown")
    command_id = scenario.operations[-1].command_id
    assert command_id is not None
    by_the_way = replace(
        scenario.log[-1], topic="seatledger.seat_expired", event_id=uuid5(command_id, "0")
    )
    evidence = replace(scenario.evidence(), log=[*scenario.log, by_the_way])
    assert "half_written" in named(evidence)


def test_two_answers_to_one_key_are_named() -> None:
    scenario, _ = a_good_scenario()
    evidence = changed(
        scenario.evidence(), -1, lambda o: replace(o, answers=[(201, b"a"), (201, b"b")])
    )
    assert named(evidence) == {"two_answers"}
    same = changed(scenario.evidence(), -1, lambda o: replace(o, answers=[(201, b"a")] * 3))
    assert named(same) == set()


def test_an_event_that_nobody_asked_for_is_a_ghost() -> None:
    scenario, group_id = a_good_scenario()
    scenario.capacities[group_id] = 3
    scenario.append(group_id, created(group_id, 3).event, uuid4())
    assert "ghost" in named(scenario.evidence())


def test_a_hole_in_the_positions_is_named() -> None:
    scenario, _ = a_good_scenario()
    log = [*scenario.log[:-1], replace(scenario.log[-1], position=99)]
    assert "position_gap" in named(replace(scenario.evidence(), log=log))


def test_a_head_beside_the_end_of_the_log_is_named() -> None:
    scenario, _ = a_good_scenario()
    evidence = replace(scenario.evidence(), head_position=99)
    assert "position_gap" in named(evidence)


def test_a_hole_in_a_streams_versions_is_named() -> None:
    scenario, _ = a_good_scenario()
    log = [*scenario.log[:-1], replace(scenario.log[-1], version=99)]
    assert "version_gap" in named(replace(scenario.evidence(), log=log))


def test_versions_against_positions_are_named() -> None:
    scenario, _ = a_good_scenario()
    third, fourth = scenario.log[2:4]
    swapped = [replace(third, version=4), replace(fourth, version=3)]
    log = [*scenario.log[:2], *swapped, *scenario.log[4:]]
    assert "order_broken" in named(replace(scenario.evidence(), log=log))


def test_a_changed_event_breaks_the_chain() -> None:
    scenario, _ = a_good_scenario()
    log = [*scenario.log[:-1], replace(scenario.log[-1], metadata={"actor": "somebody else"})]
    assert named(replace(scenario.evidence(), log=log)) == {"chain_broken"}


def test_a_cut_tail_is_named_by_the_head() -> None:
    scenario, _ = a_good_scenario()
    evidence = replace(scenario.evidence(), head_hash=bytes(32))
    assert named(evidence) == {"chain_broken"}


def test_a_wrong_count_in_the_read_model_is_named() -> None:
    scenario, group_id = a_good_scenario()
    models = models_of(scenario.evidence())
    wrong = replace(models, counts={group_id: CountRow(5, 1, 2)})
    assert named(replace(scenario.evidence(), read_models=wrong)) == {"projection_wrong"}


def test_rows_that_are_missing_or_too_many_are_named() -> None:
    scenario, _ = a_good_scenario()
    models = models_of(scenario.evidence())
    for wrong in (
        replace(models, counts={}),
        replace(models, seats={}),
        replace(models, counts={**models.counts, uuid4(): CountRow(1, 0, 1)}),
        replace(models, seats={**models.seats, uuid4(): SeatRow("confirmed", 1)}),
    ):
        assert named(replace(scenario.evidence(), read_models=wrong)) == {"projection_wrong"}


def test_a_projection_that_is_not_at_the_head_is_behind() -> None:
    scenario, _ = a_good_scenario()
    models = replace(models_of(scenario.evidence()), checkpoint=3)
    assert named(replace(scenario.evidence(), read_models=models)) == {"projection_behind"}


def test_a_follower_that_missed_doubled_or_invented_is_named() -> None:
    scenario, _ = a_good_scenario()
    ids = [record.event_id for record in scenario.log]
    for followed, invariant in (
        (ids[:-1], "missed"),
        ([*ids, ids[0]], "seen_twice"),
        ([*ids, uuid4()], "followed_ghost"),
    ):
        assert named(replace(scenario.evidence(), followed=followed)) == {invariant}


def test_messages_that_are_missing_changed_or_invented_are_named() -> None:
    scenario, _ = a_good_scenario()
    good = list(scenario.evidence().published or ())
    last = good[-1]
    for published, invariant in (
        (good[:-1], "unpublished"),
        ([*good, replace(last, body=b"another")], "two_bodies"),
        ([*good, replace(last, message_id=uuid4(), version=99)], "published_ghost"),
        ([*good[:-2], last, good[-2]], "published_out_of_order"),
    ):
        assert invariant in named(replace(scenario.evidence(), published=published))
    ensure_kept(replace(scenario.evidence(), published=[*good, *good[2:]]))


def test_a_fanned_out_message_belongs_to_its_event() -> None:
    scenario, _ = a_good_scenario()
    good = list(scenario.evidence().published or ())
    booking_id = uuid4()
    seat = replace(good[-1], message_id=uuid5(good[-1].message_id, str(booking_id)), part=1)
    ensure_kept(
        replace(scenario.evidence(), published=[*good, replace(seat, booking_id=booking_id)])
    )
    foreign = replace(seat, booking_id=uuid4())
    assert named(replace(scenario.evidence(), published=[*good, foreign])) == {"published_ghost"}


def test_a_read_that_misses_an_acknowledged_booking_is_stale() -> None:
    scenario, group_id = a_good_scenario()
    scenario.read(group_id, shown=1)
    assert named(scenario.evidence()) == {"stale_read"}


def test_a_read_behind_its_token_is_stale() -> None:
    scenario = Scenario()
    group_id = scenario.create()
    scenario.book(group_id)
    scenario.note("read", group_id, None, shown=0, invoked_at=0.6)
    ensure_kept(scenario.evidence())
    behind = changed(scenario.evidence(), -1, lambda o: replace(o, after_position=2))
    assert named(behind) == {"stale_read"}


@pytest.mark.parametrize(("seconds", "broken"), [(1.0, set()), (math.inf, {"not_recovered"})])
def test_what_does_not_recover_is_named(seconds: float, broken: set[str]) -> None:
    scenario, _ = a_good_scenario()
    recoveries = [Recovery("projection", seconds, 10.0)]
    assert named(replace(scenario.evidence(), recoveries=recoveries)) == broken


def test_the_verdict_lists_what_is_broken() -> None:
    scenario, _ = a_good_scenario()
    with pytest.raises(AssertionError, match="3 broken:\nunpublished"):
        ensure_kept(replace(scenario.evidence(), published=scenario.evidence().published[2:]))  # type: ignore[index]

"""Resources and their keys."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from foveal.db.tables import Iteration, Project, Resource, ResourceKey
from foveal.errors import Invalid, NotFound
from foveal.services import projects, resources
from foveal.services.projects import Draft
from foveal.services.resources import COMBINED, CONTRIBUTOR, PREDICTION, READER, TRAINING

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER = datetime(2026, 2, 3, tzinfo=UTC)


def make(session: Session, name: str, kind: str = TRAINING, region: str = "local") -> tuple[Resource, dict[str, str]]:
    return resources.create(session, name, kind, region, now=NOW)


def project_of(session: Session, resource: Resource | None = None) -> Project:
    owner = resource.id if resource else None
    return projects.create(session, Draft(name=f"p {uuid4()}"), now=NOW, resource_id=owner)


class TestCreate:
    def test_gives_two_keys_that_are_kept_as_digests_only(self, session: Session) -> None:
        resource, keys = make(session, "Vision", "Combined", " WestEurope ")
        rows = resources.keys_of(session, resource)
        assert (resource.name, resource.kind, resource.region) == ("Vision", COMBINED, "westeurope")
        assert [(row.label, row.role, row.created_at) for row in rows] == [
            ("key1", CONTRIBUTOR, NOW),
            ("key2", CONTRIBUTOR, NOW),
        ]
        assert [row.ending for row in rows] == [keys["key1"][-4:], keys["key2"][-4:]]
        assert all(len(key) == 32 for key in keys.values())
        assert not set(keys.values()) & {row.digest for row in rows}

    @pytest.mark.parametrize(
        ("name", "kind", "region", "words"),
        [
            ("VISION", TRAINING, "local", "already"),
            ("x", TRAINING, "local", "2 to 64"),
            ("a/b", TRAINING, "local", "2 to 64"),
            ("Foveal", TRAINING, "local", "server itself"),
            ("other", "both", "local", "expected training, prediction, combined"),
            ("other", TRAINING, "west europe", "region"),
        ],
    )
    def test_refuses_what_it_cannot_take(self, session: Session, name: str, kind: str, region: str, words: str) -> None:
        make(session, "Vision")
        with pytest.raises(Invalid, match=words):
            make(session, name, kind, region)


class TestFind:
    @pytest.mark.parametrize("text", ["Vision", " vision ", "id", "/subscriptions/x/accounts/VISION/"])
    def test_knows_it_by_name_and_by_id(self, session: Session, text: str) -> None:
        resource, _ = make(session, "Vision")
        text = resources.resource_id(resource) if text == "id" else text
        assert resources.find(session, text) is resource

    def test_names_what_is_not_there(self, session: Session) -> None:
        with pytest.raises(NotFound, match="'nobody'"):
            resources.find(session, "nobody")

    def test_lists_all_by_name(self, session: Session) -> None:
        for name in ("bb", "Aa", "cc"):
            make(session, name)
        assert [resource.name for resource in resources.every(session)] == ["Aa", "bb", "cc"]


class TestAuthenticate:
    @pytest.mark.parametrize(
        ("kind", "opens"), [(TRAINING, {TRAINING}), (PREDICTION, {PREDICTION}), (COMBINED, {TRAINING, PREDICTION})]
    )
    def test_a_key_opens_what_its_resource_is_for(self, session: Session, kind: str, opens: set[str]) -> None:
        resource, keys = make(session, "vision", kind)
        for api in (TRAINING, PREDICTION):
            caller = resources.authenticate(session, resources.digest(keys["key2"]), api=api)
            assert (caller is not None) == (api in opens)
            assert caller is None or (caller.resource_id, caller.role) == (resource.id, CONTRIBUTOR)

    @pytest.mark.parametrize("key", ["", "unknown", "\udcff"])
    def test_an_unknown_key_opens_nothing(self, session: Session, key: str) -> None:
        make(session, "vision")
        assert resources.authenticate(session, resources.digest(key), api=TRAINING) is None

    def test_a_digest_is_no_key(self, session: Session) -> None:
        make(session, "vision", COMBINED)
        for kept in session.scalars(select(ResourceKey.digest)):
            assert resources.authenticate(session, resources.digest(kept), api=TRAINING) is None


class TestKeys:
    def test_a_rotated_key_takes_the_place_of_the_old_one(self, session: Session) -> None:
        resource, keys = make(session, "vision")
        new = resources.rotate(session, resource, "key1", now=LATER)
        first, second = resources.keys_of(session, resource)
        opened = [
            resources.authenticate(session, resources.digest(key), api=TRAINING) is not None
            for key in (keys["key1"], keys["key2"], new)
        ]
        assert opened == [False, True, True]
        assert (first.created_at, second.created_at, first.ending) == (LATER, NOW, new[-4:])

    def test_an_added_key_has_its_role_until_it_is_removed(self, session: Session) -> None:
        resource, _ = make(session, "vision")
        key = resources.add_key(session, resource, "line-7", "reader", now=NOW)
        caller = resources.authenticate(session, resources.digest(key), api=TRAINING)
        assert caller is not None
        assert caller.role == READER
        resources.remove_key(session, resource, "line-7")
        assert resources.authenticate(session, resources.digest(key), api=TRAINING) is None

    def test_a_rotated_key_keeps_its_role(self, session: Session) -> None:
        resource, _ = make(session, "vision")
        resources.add_key(session, resource, "line-7", "Reader", now=NOW)
        key = resources.rotate(session, resource, "line-7", now=LATER)
        caller = resources.authenticate(session, resources.digest(key), api=TRAINING)
        assert caller is not None
        assert caller.role == READER

    def test_two_resources_may_name_their_keys_alike(self, session: Session) -> None:
        for name in ("one", "two"):
            resources.add_key(session, make(session, name)[0], "line-7", "Reader", now=NOW)

    @pytest.mark.parametrize(
        ("label", "role", "words"),
        [
            ("key1", "Reader", "already has a key 'key1'"),
            ("line 7", "Reader", "1 to 64 letters"),
            ("line-7", "Boss", "expected Reader, Labeler, Trainer, Deployment, Contributor"),
        ],
    )
    def test_refuses_to_add_what_it_cannot_take(self, session: Session, label: str, role: str, words: str) -> None:
        resource, _ = make(session, "vision")
        with pytest.raises(Invalid, match=words):
            resources.add_key(session, resource, label, role, now=NOW)

    def test_the_two_keys_of_a_resource_stay(self, session: Session) -> None:
        resource, _ = make(session, "vision")
        with pytest.raises(Invalid, match="rotate it"):
            resources.remove_key(session, resource, "key2")

    def test_an_unknown_label_is_told_with_those_there_are(self, session: Session) -> None:
        resource, _ = make(session, "vision")
        for change in (resources.rotate, resources.remove_key):
            options: Any = {"now": NOW} if change is resources.rotate else {}
            with pytest.raises(NotFound, match="no key 'key3'; it has key1, key2"):
                change(session, resource, "key3", **options)


class TestDelete:
    def test_takes_the_keys_along(self, session: Session) -> None:
        resource, _ = make(session, "vision")
        resources.delete(session, resource)
        assert resources.every(session) == []
        assert list(session.scalars(select(ResourceKey))) == []

    def test_is_refused_while_it_has_projects(self, session: Session) -> None:
        resource, _ = make(session, "vision")
        project_of(session, resource)
        with pytest.raises(Invalid, match="projects: 1, published names: 0"):
            resources.delete(session, resource)

    def test_is_refused_while_names_are_published_to_it(self, session: Session) -> None:
        resource, _ = make(session, "vision", PREDICTION)
        project = project_of(session)
        session.add(
            Iteration(
                project_id=project.id,
                name="Iteration 1",
                name_key="iteration 1",
                status="Completed",
                created_at=NOW,
                started_at=NOW,
                last_modified_at=NOW,
                domain_id=project.domain_id,
                training_type="Regular",
                publish_name="live",
                published_to=resource.id,
                data_digest="",
            )
        )
        with pytest.raises(Invalid, match="projects: 0, published names: 1"):
            resources.delete(session, resource)


class TestPublishTarget:
    @pytest.mark.parametrize("text", ["r", "/subscriptions/1/accounts/any", "foveal"])
    def test_any_id_means_the_server_while_nobody_else_predicts(self, session: Session, text: str) -> None:
        make(session, "vision", TRAINING)
        assert resources.publish_target(session, project_of(session), text, server_region="local") is None

    @pytest.mark.parametrize("text", ["Shop", "shop", " SHOP ", "id", "/whatever/accounts/shop", "/accounts/Shop/"])
    def test_a_resource_is_named_by_its_name_or_an_id_that_ends_in_it(self, session: Session, text: str) -> None:
        shop, _ = make(session, "Shop", PREDICTION)
        text = resources.resource_id(shop) if text == "id" else text
        assert resources.publish_target(session, project_of(session), text, server_region="local") == shop.id

    @pytest.mark.parametrize("text", ["foveal", "/subscriptions/1/accounts/Foveal"])
    def test_the_server_keeps_its_name(self, session: Session, text: str) -> None:
        make(session, "shop", PREDICTION)
        assert resources.publish_target(session, project_of(session), text, server_region="local") is None

    def test_a_combined_resource_is_a_target_for_its_own_projects(self, session: Session) -> None:
        both, _ = make(session, "both", COMBINED, "westeurope")
        project = project_of(session, both)
        assert resources.publish_target(session, project, "both", server_region="local") == both.id

    @pytest.mark.parametrize("text", ["", " ", "trainers", "/accounts/", "/accounts/shop/more", "far", "sho"])
    def test_refuses_what_is_no_target_and_lists_those_there_are(self, session: Session, text: str) -> None:
        make(session, "Shop", PREDICTION)
        make(session, "trainers", TRAINING)
        make(session, "far", PREDICTION, "westeurope")
        with pytest.raises(Invalid, match=r"foveal, shop\.$" if text.strip() else "is empty") as caught:
            resources.publish_target(session, project_of(session), text, server_region="local")
        assert caught.value.code == "BadRequestInvalidPublishTarget"

    def test_the_region_is_that_of_the_project_s_resource(self, session: Session) -> None:
        west, _ = make(session, "west", TRAINING, "westeurope")
        near, _ = make(session, "near", PREDICTION, "westeurope")
        make(session, "far", PREDICTION, "local")
        project = project_of(session, west)
        assert resources.publish_target(session, project, "near", server_region="local") == near.id
        for text in ("far", "foveal"):
            with pytest.raises(Invalid, match=r"in the project's region 'westeurope'.*: near"):
                resources.publish_target(session, project, text, server_region="local")

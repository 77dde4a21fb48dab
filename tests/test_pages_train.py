"""The form of the page Train and its network, without a browser."""

import json
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from aeviz import training
from aeviz.models import BODIES, VARIANTS, ModelConfig
from aeviz.runs import TrainingConfig
from aeviz.runs.config import AugmentConfig
from aeviz.ui.components.train.setting_groups import (
    GROUPS,
    SHOWN_ABOVE,
    SIZES,
    STRUCTURE,
    parts_of,
    present_values,
    summary,
)

pytestmark = pytest.mark.usefixtures("clear_caches")

MAIN = str(Path(__file__).resolve().parent.parent / "aeviz" / "ui" / "main.py")


@pytest.fixture
def launched(monkeypatch):
    """The runs that were started, without a process."""
    made = []
    monkeypatch.setattr(training, "launch", lambda run, start: made.append(run))
    return made


def open_form(*groups: str) -> AppTest:
    """The page Train with some groups of settings unfolded."""
    app = AppTest.from_file(MAIN, default_timeout=180).run().switch_page("../../pages/train.py").run()
    for group in groups:
        app.session_state[f"group.{group}"] = True
    return app.run()


def widget(app: AppTest, key: str):
    """The widget of this key, whatever it is."""
    kinds = ("selectbox", "number_input", "slider", "toggle", "text_input", "segmented_control", "button_group")
    found = [one for kind in kinds for one in app.get(kind) if one.key == key]
    return found[0] if found else None


def table(app: AppTest, key: str = "network_layers") -> dict:
    """What the table of layers was given."""
    (found,) = [one.proto for one in app.get("bidi_component") if one.proto.id.endswith(key)]
    return json.loads(found.json)


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_setting_stands_in_one_group(variant, body):
    parts = [part for group in GROUPS for part in parts_of(group, VARIANTS[variant], body).values()]
    grouped = [(part.cls, name) for part in parts for name in part.names]
    assert len(grouped) == len(set(grouped))
    wanted = {(TrainingConfig, name) for name in TrainingConfig.model_fields if name not in SHOWN_ABOVE}
    wanted |= {(ModelConfig, name) for name in ModelConfig.model_fields if name not in STRUCTURE}
    own = BODIES[body].Config
    wanted |= {(own, name) for name in own.model_fields if name not in ("name", SIZES[body])}
    assert wanted <= set(grouped)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_setting_of_a_variant_can_be_chosen(variant):
    app = open_form()
    app.selectbox(key="train.variant").select(variant).run()
    assert not app.exception
    cls = VARIANTS[variant].Config
    hidden = {"n_classes"} | ({"target"} if variant == "sparse" else set())
    own = set(cls.model_fields) - set(ModelConfig.model_fields) - hidden
    assert all(widget(app, f"train.{variant}.{name}") is not None for name in own)


def test_open_groups_show_every_setting_that_counts_with_its_help():
    app = open_form(*(group.name for group in GROUPS))
    assert not app.exception
    never = {"epochs", "augment", "loss", "momentum", "decay", "decay_epochs"}
    for name in set(TrainingConfig.model_fields) - never:
        assert widget(app, f"train.{name}").help == TrainingConfig.model_fields[name].description
    for name in AugmentConfig.model_fields:
        assert widget(app, f"train.augment.{name}").help == AugmentConfig.model_fields[name].description
    assert widget(app, "train.autoencoder.loss") is not None


def test_settings_that_do_not_count_now_are_not_shown():
    app = open_form("Loss and optimizer", "Learning rate")
    assert all(widget(app, f"train.{name}") is None for name in ("momentum", "decay", "decay_epochs", "grey_levels"))
    app.selectbox(key="train.optimizer").select("nesterov")
    app.selectbox(key="train.schedule").select("step")
    app.selectbox(key="train.autoencoder.loss").select("categorical").run()
    assert all(widget(app, f"train.{name}") for name in ("momentum", "decay", "decay_epochs", "grey_levels"))


def test_all_knobs_reach_the_run(launched):
    app = open_form(*(group.name for group in GROUPS))
    app.selectbox(key="train.optimizer").select("momentum")
    app.selectbox(key="train.schedule").select("exponential").run()
    for name, value in {"momentum": 0.8, "decay": 0.3, "warmup": 2.0, "clip": 1.5, "l2": 0.001, "patience": 4}.items():
        app.number_input(key=f"train.{name}").set_value(value)
    app.slider(key="train.augment.shift").set_value(0.1)
    app.toggle(key="train.tied").set_value(True)
    app.number_input(key="train.seed").set_value(7).run()
    app.button(key="train").click().run()
    assert not app.exception
    config = launched[0].config()
    expected = {"optimizer": "momentum", "schedule": "exponential", "momentum": 0.8, "decay": 0.3, "patience": 4}
    assert config.training.to_json() | expected == config.training.to_json()
    assert config.training.augment.shift == 0.1
    assert (config.model.tied, config.seed, config.training.warmup, config.training.clip) == (True, 7, 2.0, 1.5)


def test_folded_groups_keep_their_settings_and_say_what_differs(launched):
    app = open_form("Learning rate")
    app.number_input(key="train.learning_rate").set_value(0.004)
    app.selectbox(key="train.schedule").select("cosine").run()
    app.session_state["group.Learning rate"] = False
    app.run()
    assert widget(app, "train.schedule") is None
    (label,) = [place.label for place in app.expander if place.label.startswith("Learning rate")]
    assert label == "Learning rate :small[:gray[0.004, Cosine]]"
    app.button(key="train").click().run()
    assert launched[0].config().training.schedule == "cosine"


def test_a_group_in_its_usual_state_says_nothing():
    cls = VARIANTS["vae"]
    assert all(summary(group, parts_of(group, cls, "dense"), present_values(cls)) == "" for group in GROUPS)


def test_the_table_shows_the_layers_of_any_body_with_their_costs():
    app = open_form()
    for body, kind in (("dense", "dense"), ("conv", "conv"), ("residual", "residual")):
        app.selectbox(key="train.body").select(body).run()
        assert not app.exception
        shown = table(app)
        assert {layer["kind"] for layer in shown["layers"]} == {kind}
        assert len(shown["costs"]) == len(shown["layers"]) + 3
        assert all(row["shape"] for row in shown["costs"])


def test_the_row_that_breaks_is_marked_with_the_sentence():
    app = open_form()
    app.selectbox(key="train.body").select("conv").run()
    app.text_input(key="train.conv.channels").set_value("8, 8, 8, 8, 8").run()
    assert not app.exception
    shown = table(app)
    assert shown["broken"] == 4
    assert "single pixel" in shown["problem"]
    assert app.button(key="train").disabled


def test_custom_begins_as_the_layers_that_stood_there():
    app = open_form()
    app.text_input(key="train.dense.widths").set_value("40, 20").run()
    app.selectbox(key="train.body").select("custom").run()
    assert [layer["size"] for layer in table(app)["layers"]] == [40, 20]


def test_edited_layers_become_custom_only_where_no_short_line_can_say_them(launched):
    from aeviz.models import CustomConfig, LayerConfig
    from aeviz.ui.components.train.recipe import apply_layers

    def page() -> None:
        from aeviz.ui.components.train.recipe import recipe_form
        from aeviz.ui.components.train.start import train_button

        recipe_form(train_button)

    app = AppTest.from_function(page, default_timeout=180).run()
    dense = LayerConfig(kind="dense", size=24)
    for layers, name in (
        ((dense, dense), "dense"),
        ((LayerConfig(kind="conv", size=4), dense), "custom"),
        ((dense,), "dense"),
    ):
        taken = _keys_set_by(lambda layers=layers: apply_layers(CustomConfig(layers=layers), 6))
        for key, value in taken.items():
            app.session_state[key] = value
        app.run()
        assert not app.exception
        assert app.selectbox(key="train.body").value == name
        assert app.number_input(key="train.latent_dim").value == 6
    assert app.text_input(key="train.dense.widths").value == "24"


def _keys_set_by(act) -> dict:
    """What a callback puts into the session."""
    before = dict(st.session_state.items())
    act()
    after = {key: value for key, value in st.session_state.items() if key not in before or before[key] != value}
    for key in after:
        del st.session_state[key]
    return after


def test_a_network_that_exists_can_be_edited_elsewhere():
    def page() -> None:
        import streamlit as st

        from aeviz.ui.components.train.network import layer_editor

        st.json(layer_editor("editor", {"variant": "vae", "latent_dim": 4, "body": {"name": "dense"}}, (1, 8, 8)))

    app = AppTest.from_function(page, default_timeout=180).run()
    assert not app.exception
    assert json.loads(app.json[0].value) == {"variant": "vae", "latent_dim": 4, "body": {"name": "dense"}}
    assert [layer["size"] for layer in table(app, "editor_layers")["layers"]] == [512, 128]


def test_the_curve_of_the_rate_and_the_finder_stand_beside_the_schedule():
    app = open_form("Learning rate")
    assert app.button(key="rates.find")
    assert len(app.get("plotly_chart")) == 2


def test_samples_are_shown_as_they_are_fed():
    app = open_form("Augmentation")
    assert "unchanged network inputs below" in " ".join(caption.value for caption in app.caption)
    app.slider(key="train.augment.rotation").set_value(45.0).run()
    assert not app.exception
    assert "above, network inputs below" in " ".join(caption.value for caption in app.caption)


def test_a_recipe_fills_the_whole_form(launched):
    def page() -> None:
        import streamlit as st

        from aeviz.training import Recipe
        from aeviz.ui.components.train.presets import fill_form
        from aeviz.ui.components.train.recipe import recipe_form
        from aeviz.ui.components.train.start import train_button

        layers = [{"kind": "conv", "size": 6}, {"kind": "dense", "size": 20}]
        model = {"variant": "beta_vae", "beta": 2.5, "latent_dim": 7, "tied": True}
        values = {
            "data": {"name": "digits"},
            "model": model | {"body": {"name": "custom", "layers": layers, "norm": "batch"}},
            "training": {"epochs": 3, "schedule": "one_cycle", "loss": "l1", "augment": {"shift": 0.1}, "ema": 0.9},
            "seed": 5,
        }
        st.button("Fill", key="fill", on_click=fill_form, args=(Recipe.parse(values),))
        recipe_form(train_button)

    app = AppTest.from_function(page, default_timeout=180).run()
    app.button(key="fill").click().run()
    app.button(key="train").click().run()
    assert not app.exception
    config = launched[0].config()
    assert (config.model.beta, config.model.latent_dim, config.model.tied, config.seed) == (2.5, 7, True, 5)
    assert [layer.kind for layer in config.model.body.layers] == ["conv", "dense"]
    assert config.model.body.norm == "batch"
    wanted = {"epochs": 3, "schedule": "one_cycle", "loss": "l1", "ema": 0.9}
    assert config.training.to_json() | wanted == config.training.to_json()
    assert config.training.augment.shift == 0.1


@pytest.mark.parametrize("preset", training.presets_for("digits"), ids=lambda preset: preset.name)
def test_a_preset_is_trained_as_it_is_written_and_says_when_it_was_changed(preset, launched):
    app = open_form()
    app.selectbox(key="train.preset.digits").select(preset.name).run()
    assert not app.exception
    assert any(preset.summary[:20] in caption.value.replace("\\", "") for caption in app.caption)
    app.button(key="train").click().run()
    config = launched[0].config()
    assert config.training == preset.recipe.training
    assert config.model.to_json() | preset.recipe.model | {"body": {}} == config.model.to_json() | {"body": {}}
    app.session_state["train.view"] = "Network"
    app.run()
    app.number_input(key="train.latent_dim").set_value(33).run()
    assert any("Changed since" in caption.value for caption in app.caption)

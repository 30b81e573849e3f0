"""RGAN Lab: `streamlit run app/Home.py`. Routes to the screens; draws nothing itself."""

import gc

import streamlit as st
from session import ahead

if gc.get_freeze_count() == 0:  # the first run, see settle
    gc.disable()
    ahead.wait()

from components import tour, whole_page
from components.appear import appear
from controls import lock
from session import address, callbacks, classroom, shared, visitors
from session.state import settle, share_memory
from theme import language
from theme.language import (
    BLIND_TEST,
    CHECKPOINTS,
    EMBEDDINGS,
    EVIDENCE,
    FAILURES,
    HOME,
    LABORATORY,
    REPRODUCE,
    THEORY,
    TRAIN,
    WORST_NOISE,
)

# Before the navigation, which would otherwise fetch a page's own icon from the network.
# The sidebar opens once it moves nothing, see components/appear.js.
st.set_page_config(page_icon=language.ICON, initial_sidebar_state="collapsed")
callbacks.run_to_their_end()
share_memory()
visitors.sweep()
classroom.enter()

page = st.navigation(
    {
        "Explore": [
            st.Page(HOME, title="Home", icon=":material/home:", url_path="home", default=True),
            st.Page(WORST_NOISE, title="Worst noise", icon=":material/explore:", url_path="worst-noise"),
            st.Page(FAILURES, title="Failures", icon=":material/report:", url_path="failures"),
            st.Page(EMBEDDINGS, title="Embeddings", icon=":material/scatter_plot:", url_path="embeddings"),
            st.Page(LABORATORY, title="Laboratory", icon=":material/experiment:", url_path="laboratory"),
        ],
        "Measure": [
            st.Page(EVIDENCE, title="Evidence", icon=":material/balance:", url_path="evidence"),
            st.Page(BLIND_TEST, title="Blind test", icon=":material/visibility_off:", url_path="blind-test"),
            st.Page(REPRODUCE, title="Reproduce", icon=":material/science:", url_path="reproduce"),
            st.Page(THEORY, title="Theory", icon=":material/function:", url_path="theory"),
        ],
        "Models": [
            st.Page(TRAIN, title="Train", icon=":material/model_training:", url_path="train"),
            st.Page(CHECKPOINTS, title="Checkpoints", icon=":material/folder_open:", url_path="checkpoints"),
        ],
    }
)
st.set_page_config(
    page_title="RGAN Lab" if page.title == "Home" else f"{page.title} · RGAN Lab", initial_sidebar_state="collapsed"
)
appear()
whole_page.mended()
address.former()
shared.begin(page.title)
lock.note(page.title)
tour.bar(page.title)
try:
    if why := classroom.closed(page.title):
        st.title(page.title, anchor=False)
        st.info(why, icon=":material/school:")
    else:
        page.run()
finally:
    settle()  # last: the first picture need not wait for it

"""Theory: the paper's proposition and lemmas on a line, where everything they speak of can be seen and moved."""

import streamlit as st
from controls import lock
from controls.draw import draw
from screens.theory import bounds, proposition, robust_game
from session.address import kept
from session.table import BOUNDS, CURVE, GAME, PROPOSITION, STARTS, STATEMENT
from theme.language import plain

from rgan.common.errors import RganError

curve, starts = kept(CURVE), kept(STARTS)
st.title("Theory", anchor=False)
with st.sidebar:
    lock.maker()
statement = draw(STATEMENT)
shows = {PROPOSITION: lambda: proposition.show(curve, starts), GAME: robust_game.show, BOUNDS: bounds.show}
try:
    shows[statement]()
except RganError as error:
    st.error(plain(str(error)))

"""The screen: everything Streamlit, from the menu to what the person chose."""

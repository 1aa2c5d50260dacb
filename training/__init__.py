"""Recipes that train the weights this project ships. Not installed with the library."""

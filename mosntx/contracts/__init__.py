"""The borders of the house: zope interfaces and constants, one module per border.

Nothing here imports anything of ours, and nothing here does anything. An interface says who calls
whom, when, in which order, with which
units and with which errors; a provider refers to it and repeats nothing. Contracts are verified
when objects are wired and never per event.
"""

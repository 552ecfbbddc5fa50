"""Waybill Canary: bait waybills, and which link leaked them."""

__version__ = "0.1.0"

"""Accounts, second factors, keys of programs."""

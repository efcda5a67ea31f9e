"""Findings: rules over syntax trees and ruff, one walk per file, cached by content, reported in four formats."""

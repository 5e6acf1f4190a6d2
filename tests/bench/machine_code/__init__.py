# SPDX-License-Identifier: Apache-2.0
"""What sass_report.py is made of: the listing of a kernel, its loops, and what a multiprocessor does with them."""

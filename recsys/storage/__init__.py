"""Storage: tables and arrays in and out of files and databases; no pickle."""

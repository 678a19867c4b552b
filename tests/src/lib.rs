//! Tests of the whole workspace: whole requests over adapters and stores, and the claims of the documentation.

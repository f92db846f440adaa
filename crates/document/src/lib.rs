//! Policy documents: the raw-XML dialect, read without loss and with spans.

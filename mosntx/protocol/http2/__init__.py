"""HTTP/2 (RFC 9113): codecs on hyper-h2 or on libnghttp2, behind one contract."""

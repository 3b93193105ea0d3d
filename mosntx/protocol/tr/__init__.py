"""TR (Taobao Remoting): frames with a connection object, a class name and application objects."""

-- Names that come over and over. 0 stands for none. An id is never used again, for counts may outlive their names.
CREATE TABLE operation (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
CREATE TABLE source (id INTEGER PRIMARY KEY AUTOINCREMENT, fqn TEXT NOT NULL UNIQUE);
-- Each TYPE=name of a source.
CREATE TABLE source_element (
    element TEXT NOT NULL,
    source INTEGER NOT NULL,
    PRIMARY KEY (element, source)
) WITHOUT ROWID;
CREATE INDEX source_element_source ON source_element (source);

-- What filters and charts ask for. There are few of them, so a filter is a short list of ids.
CREATE TABLE facet (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,      -- 0 event, 1 activity, 2 snapshot
    severity INTEGER NOT NULL,  -- its ordinal
    operation INTEGER NOT NULL,
    source INTEGER NOT NULL,
    UNIQUE (kind, severity, operation, source)
);
CREATE INDEX facet_operation ON facet (operation);
CREATE INDEX facet_source ON facet (source);

-- Events, activities, and snapshots that came alone. The id is the time (see EntityId), so every index is one by time too.
CREATE TABLE entity (
    id INTEGER PRIMARY KEY,
    facet INTEGER NOT NULL,
    time INTEGER NOT NULL,      -- microseconds since 1970
    received INTEGER NOT NULL,
    json BLOB NOT NULL          -- as it was received
);
CREATE INDEX entity_facet ON entity (facet);

-- The ids and correlators that entities name, as hashes (see Link). Such names come in no order at all, and an index of many of
-- them is costly to add to: every one goes to another page. So the youngest are in a small table, and move together.
CREATE TABLE link (
    hash INTEGER NOT NULL,
    role INTEGER NOT NULL,
    entity INTEGER NOT NULL,
    facet INTEGER NOT NULL,
    PRIMARY KEY (hash, role, entity)
) WITHOUT ROWID;
CREATE TABLE fresh_link (
    hash INTEGER NOT NULL,
    role INTEGER NOT NULL,
    entity INTEGER NOT NULL,
    facet INTEGER NOT NULL,
    PRIMARY KEY (hash, role, entity)
) WITHOUT ROWID;
CREATE VIEW links AS SELECT * FROM link UNION ALL SELECT * FROM fresh_link;
CREATE INDEX link_received ON link (entity) WHERE role = 2;
CREATE INDEX fresh_link_received ON fresh_link (entity) WHERE role = 2;

-- The words of operation, message and exception.
CREATE VIRTUAL TABLE words USING fts5 (
    text,
    content = '',
    contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 2"
);

-- How many entities there were. Three levels: buckets of a second, a minute, an hour.
CREATE TABLE tally (
    level INTEGER NOT NULL,
    bucket INTEGER NOT NULL,    -- number of the second, minute or hour since 1970
    facet INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (level, bucket, facet)
) WITHOUT ROWID;

-- Numeric properties of snapshots, and of events themselves (then without category and snapshot), in the same buckets.
CREATE TABLE metric_name (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    category TEXT NOT NULL,
    snapshot TEXT NOT NULL,
    property TEXT NOT NULL,
    UNIQUE (category, snapshot, property)
);
CREATE TABLE metric (
    name INTEGER NOT NULL,
    level INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    source INTEGER NOT NULL,
    count INTEGER NOT NULL,
    sum REAL NOT NULL,
    min REAL NOT NULL,
    max REAL NOT NULL,
    PRIMARY KEY (name, level, bucket, source)
) WITHOUT ROWID;
CREATE INDEX metric_bucket ON metric (level, bucket);

/// A part of a YAML document with its place; nothing of its meaning is decided yet.
struct YAMLNode: Sendable {
    enum Content: Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        case mapping([YAMLEntry])
        /// Something that connectd does not take (an alias, a tag), reported already: nothing more is said about it.
        case refused
    }

    let content: Content
    let position: TextPosition
}

/// A key of a mapping with its value. Duplicates are still there, for whoever knows the path to name them.
struct YAMLEntry: Sendable {
    let key: YAMLScalar
    let position: TextPosition
    let value: YAMLNode
}

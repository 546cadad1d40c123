namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>How full is the spool?</summary>
/// <param name="Entries">Not read to the end yet.</param>
/// <param name="Bytes">In files; a file goes when all of it is read.</param>
internal sealed record SpoolStatus(long Entries, long Bytes);

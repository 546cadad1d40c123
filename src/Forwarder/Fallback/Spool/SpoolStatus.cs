namespace KeyEvt.Forwarder.Fallback.Spool;

/// <summary>How full is the spool?</summary>
/// <param name="Entries">Entries that are not removed yet.</param>
/// <param name="Bytes">Bytes of all files. A file is deleted when all of its entries have been removed.</param>
internal sealed record SpoolStatus(long Entries, long Bytes);

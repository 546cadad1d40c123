namespace KeyEvt.Forwarder.Delivery.Stores;

/// <summary>When was a step of a list refused by the fence, and which term stands there?</summary>
/// <param name="Timestamp">Of the program's monotonic clock.</param>
/// <param name="Term">Higher than this program's own.</param>
internal sealed record FenceRefusal(long Timestamp, long Term);

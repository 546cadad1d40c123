using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Feed.Peers;

/// <summary>What has the last holder kept in Redis of this stream?</summary>
/// <param name="Watermark">Everything up to here is settled; the beginning if nothing is kept.</param>
/// <param name="IsYoung">Whether it was written a moment ago, so that somebody is probably there.</param>
internal readonly record struct KeptWatermark(StreamPlace Watermark, bool IsYoung);

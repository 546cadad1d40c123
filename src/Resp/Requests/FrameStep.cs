// How far did the framer get, and what may be forwarded?
namespace KeyEvt.Resp.Requests;

/// <summary>Result of one <see cref="RespRequestFramer{TFilter}.Scan"/>.</summary>
/// <param name="Scanned">Bytes of the span that were taken in.</param>
/// <param name="Released">
/// Bytes that are validated and may now be forwarded, counted from the first byte not yet released: this may reach back into earlier spans.
/// </param>
/// <param name="Stop">Why the scan ended.</param>
public readonly record struct FrameStep(int Scanned, long Released, FrameStop Stop);

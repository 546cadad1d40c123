// How far did the framer get, and what may be forwarded?
namespace KeyEvt.Resp.Requests;

/// <summary>Result of one <see cref="RespRequestFramer{TFilter}.Scan"/>.</summary>
/// <param name="Scanned">How many bytes of the span were read.</param>
/// <param name="Released">
/// How many bytes are valid and may now be forwarded, counted from the first byte not yet released. They may begin in an earlier span.
/// </param>
/// <param name="Stop">Why the scan ended.</param>
public readonly record struct FrameStep(int Scanned, long Released, FrameStop Stop);

// What if the proxy answers nothing itself?
using KeyEvt.Resp.Requests;

namespace KeyEvt.Resp.Tests.Requests;

internal readonly struct NothingIsHeld : IRequestFilter
{
    public bool IsCandidate(ReadOnlySpan<byte> nameHead, long nameLength, long argumentCount) => false;
}

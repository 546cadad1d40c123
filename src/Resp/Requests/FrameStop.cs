// Why did a scan end?
namespace KeyEvt.Resp.Requests;

/// <summary>Why <see cref="RespRequestFramer{TFilter}.Scan"/> returned.</summary>
public enum FrameStop
{
    /// <summary>The span is used up.</summary>
    NeedMore,

    /// <summary>A request begins, at the first byte not released, that its owner wants to see whole.</summary>
    Candidate,

    /// <summary>
    /// A <c>POST</c> or <c>Host:</c> command: someone speaks HTTP. Redis closes such a connection without a reply, and so must the caller.
    /// </summary>
    ForeignProtocol,
}

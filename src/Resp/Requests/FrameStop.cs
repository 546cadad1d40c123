// Why did a scan end?
namespace KeyEvt.Resp.Requests;

/// <summary>Why <see cref="RespRequestFramer{TFilter}.Scan"/> returned.</summary>
public enum FrameStop
{
    /// <summary>The whole span has been read.</summary>
    NeedMore,

    /// <summary>A candidate begins at the first byte that is not released: a request that must be held until all of it has been seen.</summary>
    Candidate,

    /// <summary>
    /// A <c>POST</c> or <c>Host:</c> command: the client speaks HTTP. Redis closes such a connection without a reply, and so must the caller.
    /// </summary>
    ForeignProtocol,
}

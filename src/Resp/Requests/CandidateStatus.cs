// Is the candidate all there?
namespace KeyEvt.Resp.Requests;

/// <summary>Result of <see cref="RespRequestFramer{TFilter}.ReadCandidate"/>.</summary>
public enum CandidateStatus
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>The request is complete.</summary>
    Complete,

    /// <summary>The request is, or is going to be, larger than <see cref="RespLimits.MaxCandidateBytes"/>.</summary>
    TooLarge,
}

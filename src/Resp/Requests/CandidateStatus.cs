// Is the candidate complete?
namespace KeyEvt.Resp.Requests;

/// <summary>Result of <see cref="RespRequestFramer{TFilter}.ReadCandidate"/>.</summary>
public enum CandidateStatus
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>The request is complete.</summary>
    Complete,

    /// <summary>The request is larger than <see cref="RespLimits.MaxCandidateBytes"/>, or its header says that it will be.</summary>
    TooLarge,
}

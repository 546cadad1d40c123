namespace KeyEvt.Forwarder.Tests.Group;

/// <summary>What is at one index of the model's stream.</summary>
internal sealed record ModelMessage(ModelKind Kind, string Member = "")
{
    /// <summary>Mark of a holder, resign: the claim that it holds by. Claim: the one that it follows.</summary>
    public (string Member, int At)? Claim { get; init; }

    /// <summary>Mark of a holder, resign: how far it has settled. Fresh claim: what was kept.</summary>
    public int Watermark { get; init; }

    /// <summary>Mark, claim: the first index that is in the member's ring.</summary>
    public int Reach { get; init; }

    /// <summary>State, fresh claim: the index of the question.</summary>
    public int Re { get; init; }

    /// <summary>State: who asked.</summary>
    public string? To { get; init; }

    public ModelState? State { get; init; }
}

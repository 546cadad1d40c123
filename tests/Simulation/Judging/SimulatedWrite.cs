namespace KeyEvt.Simulation.Judging;

/// <summary>One write that a node has acknowledged, and what has become of its event.</summary>
/// <param name="Index">Its place among the writes at this node.</param>
/// <param name="At">When the node handled it: ticks since the world began.</param>
internal sealed record SimulatedWrite(string Key, string Node, int Index, long At)
{
    /// <summary>The message ids by which a consumer has got it.</summary>
    public List<string> Ids { get; } = [];

    public bool IsReceived => Ids.Count > 0;

    /// <summary>Whether its event is forwarded only while an administrator wants that.</summary>
    public bool IsOptional { get; init; }

    /// <summary>Whether an optional event must come, or must not; null: either is right.</summary>
    public bool? IsWanted { get; init; }

    /// <summary>Whether a write behind it had arrived before it arrived for the first time.</summary>
    public bool IsOvertaken { get; set; }

    /// <summary>Whether the broker has refused it: those behind it were under way by then.</summary>
    public bool IsRefused { get; set; }

    /// <summary>Whether a member that did not know its position has begun anew behind it. If somebody knew it after all, it can come by two ids.</summary>
    public bool HasTwoIds { get; set; }

    /// <summary>Why nobody can know of it; null: somebody does.</summary>
    public string? Excuse { get; set; }
}

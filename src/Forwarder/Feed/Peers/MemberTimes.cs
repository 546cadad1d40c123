namespace KeyEvt.Forwarder.Feed.Peers;

/// <summary>When does a member say something? Times decide only that, never what is true.</summary>
internal sealed record MemberTimes
{
    /// <summary>How often it is looked whether something is due.</summary>
    public TimeSpan Look { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The same while the state is not known: events wait meanwhile.</summary>
    public TimeSpan LookWhileJoining { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>How often the holder marks while events flow.</summary>
    public TimeSpan HolderFlowing { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How often the holder marks without events, and a standby while events flow.</summary>
    public TimeSpan Quiet { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a standby marks without events.</summary>
    public TimeSpan StandbyQuiet { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a member without a seat marks.</summary>
    public TimeSpan Seatless { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a member marks while no events are wanted.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long members mark as while events are wanted, after one of them has asked the holder for something: it may be gone.</summary>
    public TimeSpan AskedFor { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long after the last event the stream counts as quiet.</summary>
    public TimeSpan FlowsFor { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a holder may say nothing although a mark is due.</summary>
    public TimeSpan HolderSilence { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>After so much of that silence a member asks the stream itself, by a mark, whether it still hears it.</summary>
    public TimeSpan Probe { get; init; } = TimeSpan.FromMilliseconds(700);

    /// <summary>How long after the probe has come back the holder still has to be heard: its messages may have waited in the same node.</summary>
    public TimeSpan ProbeGrace { get; init; } = TimeSpan.FromMilliseconds(40);

    /// <summary>How long an answer to a question is waited for.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The same if somebody was there a moment ago.</summary>
    public TimeSpan AnswerIfYoung { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How much longer a member waits while one is there that should hold the stream before it, as the holder of the master before.</summary>
    public TimeSpan AnotherPreferred { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The distance between two members that would say the same.</summary>
    public TimeSpan Rank { get; init; } = TimeSpan.FromMilliseconds(60);

    /// <summary>How much longer a member waits that does not reach back to the watermark.</summary>
    public TimeSpan NoReach { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How much longer a member waits that has no link to the broker while another one has.</summary>
    public TimeSpan NoBroker { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// For how long a holder without a link to the broker listens to what the others say of theirs. If the broker itself has gone, they notice it
    /// within that time.
    /// </summary>
    public TimeSpan BrokerGrace { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a new holder is left alone by a member that has to deliver what an old master has left: it may do the same, for another old master.</summary>
    public TimeSpan Settling { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>After so long without its message coming back, a member says it again.</summary>
    public TimeSpan Again { get; init; } = TimeSpan.FromSeconds(2);
}

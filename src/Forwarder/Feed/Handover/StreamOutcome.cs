namespace KeyEvt.Forwarder.Feed.Handover;

/// <summary>What has changed for this program with a message of the group?</summary>
[Flags]
internal enum StreamOutcome
{
    None = 0,

    /// <summary>An answer has told the state: others have heard the stream all the time.</summary>
    Learned = 1,

    /// <summary>A fresh claim has come into force: nobody had answered.</summary>
    Anew = 2,

    /// <summary>This program is the holder from here on.</summary>
    Won = 4,

    /// <summary>This program was the holder, and is no longer from here on.</summary>
    Lost = 8,
}

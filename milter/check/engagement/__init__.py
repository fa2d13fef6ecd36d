"""What memory adds to a message: who was here before, by which name, and how far it went.

- `engagement`: the check; asks the history once, lets the parts below answer, says what to keep.
- `direct_mail`: what of a message these questions are asked of.
- `contacts`: an authenticated notification of a professional network becomes a platform contact.
- `shown_names`, `names`, `organisations`: is it one person, is it one house?
- `matching`: is the writer of this mail the member who turned to our recipient there?
- `claims`: a claim without trace, another address, another person, another way to answer.
- `telling`: how a finding names the earlier message that it rests on.
- `past`: what of a recollection is this message's past, after what analysts ruled.
- `stages`: how far the persona has gone, and whether this mail goes further.
- `graph`: the same handle, number or account with others; the same persona with our people.
- `campaigns`: the same text to several of our people.
- `standing`: an organisation that we have long written to; who wrote first.

All of them are pure but `engagement`, which awaits `ports.History`.
"""

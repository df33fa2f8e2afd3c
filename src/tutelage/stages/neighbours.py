"""Without an expert: a subject's own picture is the target, as in Re-Imagen and in SuTI's first, copying version."""

from tutelage.diffusion.pictures import decode, png
from tutelage.errors import BadInput
from tutelage.triplet import Assignment, Provenance, Triplet


def neighbour(assignment: Assignment) -> Triplet:
    """The picture of the assignment's number as the target, the subject's others as its references.

    Raises:
        BadInput: the text is not that picture's caption, or the picture cannot be read.
    """
    references = assignment.cluster.references
    number = int(assignment.id.rpartition("/")[2])
    told = [reference.caption or assignment.cluster.subject for reference in references]
    if told[number : number + 1] != [assignment.text]:
        raise BadInput(f"assignment {assignment.id} is no caption of a picture; give --imagining.words captions")
    return Triplet(
        id=f"{assignment.id}/0",
        target=png(decode(references[number].picture.data, assignment.id)),
        text=assignment.text,
        references=references[:number] + references[number + 1 :],
        subject=assignment.cluster.subject,
        skill=assignment.skill,
        cluster=assignment.cluster.id,
        provenance=Provenance(teacher="neighbour", base="", seed=0),
    )
